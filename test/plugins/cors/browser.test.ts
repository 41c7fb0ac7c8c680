import { HttpResponse } from 'rawhttp'
import { bearerAuthGuard } from 'rawhttp/plugins/bearer-auth'
import { cors } from 'rawhttp/plugins/cors'
import { route, router } from 'rawhttp/plugins/router'
import { expect, test } from 'vitest'
import { startChromium } from '../../support/chromium.ts'
import { answering, startServer } from '../../support/server.ts'

const page = answering(() => HttpResponse.html('<!doctype html><title>page</title>'))

/** An API as pages of one origin may use it, with cookies. */
const startApi = (origin: string) =>
  startServer({
    plugins: [
      cors({ origin: [origin], credentials: true, exposed: ['x-total'] }),
      router({
        'GET /sign-in': () =>
          HttpResponse.text('in')
            .append('set-cookie', 'session=ada; HttpOnly; SameSite=Lax')
            .set('x-total', '42'),
        'GET /me': ({ cookies }) => ({ session: cookies.get('session') ?? null }),
        'PUT /me': async ({ body }) => ({ put: await body.json() }),
        'GET /guarded': route(
          { guards: [bearerAuthGuard({ verify: token => (token === 'good' ? 'ann' : null) })] },
          () => 'in',
        ),
      }),
    ],
  })

/** Fetches in the page, which has types of its own: hence as text. */
const fetching = (url: string, init: object, read: string) =>
  `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then(async answer => ${read}).catch(error => String(error))`

test('Chromium lets pages of the origin read, with cookies and preflights, and no others', {
  timeout: 90_000,
}, async () => {
  await using browser = await startChromium()
  await using friend = await startServer({ plugins: [page] })
  await using stranger = await startServer({ plugins: [page] })
  await using api = await startApi(friend.url)
  const all = { credentials: 'include' }
  const json = { method: 'PUT', headers: { 'content-type': 'application/json', 'x-a': 'b' }, body: '{"a":1}' }
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  const tab = await browser.context.newPage()
  await tab.goto(friend.url)
  const ask = (path: string, init: object = {}, read = 'answer.text()') =>
    tab.evaluate<unknown>(fetching(`${api.url}${path}`, init, read))
  expect(await ask('/sign-in', all, "answer.headers.get('x-total')")).toBe('42')
  expect(await ask('/me', all)).toBe('{"session":"ada"}')
  expect(await ask('/me')).toBe('{"session":null}')
  expect(await ask('/me', { ...all, ...json })).toBe('{"put":{"a":1}}')
  expect(await ask('/guarded', bearer('good'))).toBe('in')
  // Errors may be read as well.
  expect(await ask('/guarded', bearer('bad'), 'answer.status')).toBe(401)
  expect(await ask('/none', all, 'answer.status')).toBe(404)

  await tab.goto(stranger.url)
  for (const [path, init] of [
    ['/me', all],
    ['/me', {}],
    ['/me', { ...all, ...json }],
    ['/guarded', bearer('good')],
  ] as const)
    expect(await ask(path, init)).toBe('TypeError: Failed to fetch')
  const puts = api.ended.filter(({ request }) => request.method === 'PUT')
  expect(puts.length).toBe(1)
})
