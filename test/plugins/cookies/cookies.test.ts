import { writeFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import {
  Deliver,
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  type Plugins,
  scope,
  Transform,
} from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { cookies, cookiesOf } from 'rawhttp/plugins/cookies'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { handler, lines, NEW, OLD, sentBack, tapped, withCookies } from './serve.ts'

const plain = (name: string, value = '1') => `${name}=${value}; Path=/; HttpOnly; SameSite=Lax`

describe('what is set', () => {
  test('goes out with the answer, in order, beside what the answer sets itself', async () => {
    const { ask } = await withCookies(request => {
      cookiesOf(request).set('a', '1').set('b', 'ü; x', { path: '/b' })
      return HttpResponse.text('ok').append('set-cookie', 'own=1')
    })
    expect(lines(await ask())).toEqual([
      'own=1',
      plain('a'),
      'b=%C3%BC%3B%20x; Path=/b; HttpOnly; SameSite=Lax',
    ])
  })

  test('takes the place of what was set for the same name, domain and path before', async () => {
    const { ask } = await withCookies(request => {
      const all = cookiesOf(request).set('a', '1').set('a', '2', { path: '/x' }).set('b', '1')
      all.set('a', '3').set('c', '1', { domain: 'C.test' }).set('c', '2', { domain: 'c.test' }).delete('b')
    })
    expect(lines(await ask())).toEqual([
      'a=2; Path=/x; HttpOnly; SameSite=Lax',
      plain('a', '3'),
      'c=2; Domain=c.test; Path=/; HttpOnly; SameSite=Lax',
      'b=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    ])
  })

  const sets = (request: HttpRequest) => void cookiesOf(request).set('a', '1')
  test.each([
    [
      'an error that was thrown',
      418,
      () => {
        throw new HttpError(418)
      },
    ],
    [
      'an error that nobody foresaw',
      500,
      () => {
        throw new Error('oh')
      },
    ],
    ['a redirect', 303, () => HttpResponse.redirect('/', 303)],
    ['a 304', 304, () => HttpResponse.text('x', { headers: { etag: '"1"' } })],
    ['a 412', 412, () => HttpResponse.text('x', { headers: { etag: '"2"' } })],
    ['an answer without a body', 204, () => HttpResponse.empty()],
  ] as [string, number, () => HttpResponse][])('goes out with %s', async (_what, status, answer) => {
    const { ask } = await withCookies(request => {
      sets(request)
      return answer()
    })
    const field = status === 412 ? { 'if-match': '"1"' } : { 'if-none-match': '"1"' }
    const response = await ask({ headers: field })
    expect([response.status, lines(response)]).toEqual([status, [plain('a')]])
  })

  test('goes out with nobody’s answer, and with that of a guard', async () => {
    const guarded = await serve([cookies(), tapped(Handle.Guard, request => void sets(request))])
    const nobodys = await guarded.ask('/nowhere')
    expect([nobodys.status, lines(nobodys)]).toEqual([404, [plain('a')]])
    const guard = tapped(Handle.Guard, request => {
      sets(request)
      return HttpResponse.error(401)
    })
    const refused = await withCookies(() => undefined, {}, [guard])
    expect(lines(await refused.ask())).toEqual([plain('a')])
  })

  test('goes out with an answer from the cache, to this client alone', async () => {
    let made = 0
    const { ask } = await serve([
      cookies(),
      tapped(Handle.Guard, request => {
        if (request.query.has('new')) sets(request)
        return undefined
      }),
      cache(),
      handler(() =>
        HttpResponse.text(String(++made), { headers: { 'cache-control': 'public, max-age=60' } }),
      ),
    ])
    await ask('/?new')
    const [first, second] = [await ask('/?new'), await ask('/?new')]
    expect([first.text(), second.text(), made]).toEqual(['1', '1', 1])
    expect(lines(first)).toEqual([plain('a')])
    expect(first.headers.get('cache-control')).toBe('private, max-age=60')
  })

  test('shows in one answer only, of a response that all get', async () => {
    const shared = HttpResponse.text('all')
    const { ask } = await withCookies(request => {
      if (request.path === '/new') sets(request)
      return shared
    })
    expect(lines(await ask('/new'))).toEqual([plain('a')])
    expect(lines(await ask('/'))).toEqual([])
  })

  test('may come from an error tap, a transform tap, and an earlier tap on deliver', async () => {
    const taps = onSite('taps', ({ hooks }) => {
      hooks.error.tap('taps', (_error, request) => void cookiesOf(request).set('error', '1'))
      hooks.transform.tap({ name: 'taps', stage: Transform.Shape }, (_response, request) => {
        cookiesOf(request).set('transform', '1')
      })
      hooks.deliver.tap('taps', (_response, request) => void cookiesOf(request).set('deliver', '1'))
    })
    const { ask } = await withCookies(
      () => {
        throw new HttpError(400)
      },
      {},
      [taps],
    )
    expect(lines(await ask())).toEqual([plain('error'), plain('transform'), plain('deliver')])
  })

  test('goes out with the answer to a refused message', async () => {
    const tap = onSite('tap', ({ hooks }) =>
      hooks.deliver.tap('tap', (_response, request) => void cookiesOf(request).set('a', '1')),
    )
    await using served = await startServer({ plugins: [cookies(), tap] })
    await using client = await RawClient.connect(served.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
    const { status, fields } = await client.response()
    expect(status).toBe(400)
    expect(fields).toContainEqual(['set-cookie', plain('a')])
  })

  test('goes out with an upgrade', async () => {
    const upgrade = handler(request => {
      sets(request)
      return HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.end())
    })
    await using served = await startServer({ plugins: [cookies(), upgrade] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    const { status, field } = await client.response({ interim: true })
    expect([status, field('set-cookie')]).toEqual([101, plain('a')])
  })

  test('is secure when the request came by https', async () => {
    const { server } = await withCookies(sets)
    const response = await server.inject({ url: 'https://a.test/' })
    expect(lines(response)).toEqual(['a=1; Path=/; HttpOnly; Secure; SameSite=Lax'])
  })

  test('may come anew from a handler that is asked again, since its file has changed', async () => {
    const path = await tempFile('a.txt', 'old')
    let asked = 0
    const { ask } = await serve([
      cookies(),
      router({
        'GET /': async ({ request }) => {
          cookiesOf(request).set('a', String(++asked))
          const answer = await HttpResponse.file(path)
          if (asked === 1) await writeFile(path, 'a new one')
          return answer
        },
      }),
    ])
    const response = await ask()
    expect([response.status, response.text(), lines(response)]).toEqual([200, 'a new one', [plain('a', '2')]])
  })

  test('may come from an error tap, also when the answer before it failed on its way out', async () => {
    const failing = () => new PassThrough().destroy(new Error('no body'))
    const tap = onSite('tap', ({ hooks }) =>
      hooks.error.tap('tap', (_error, request) => void cookiesOf(request).set('error', '1')),
    )
    const { ask } = await serve([tap, cookies(), handler(() => HttpResponse.stream(failing()))])
    const response = await ask()
    expect([response.status, lines(response)]).toEqual([500, [plain('error')]])
  })

  test('when the answer has gone out is an error that says so', async () => {
    const late = onSite('late', ({ hooks }) =>
      hooks.deliver.tap({ name: 'late', stage: Deliver.Last + 1 }, (_response, request) => sets(request)),
    )
    const { ask, reports } = await serve([cookies(), late, handler(() => 'ok')])
    expect((await ask()).status).toBe(500)
    expect(reports.map(({ message }) => message).join()).toContain(
      'cookies: "a" comes too late, the answer has gone out: set cookies before it is returned',
    )
  })
})

describe('a signed cookie', () => {
  const visits = (request: HttpRequest): HttpResponse => {
    const all = cookiesOf(request)
    if (request.path === '/set') all.setSigned('s', 'ada; é')
    return HttpResponse.json(all.getSigned('s') ?? null)
  }

  test('comes back with what was signed', async () => {
    const { ask } = await withCookies(visits)
    const set = await ask('/set')
    expect(lines(set)[0]).toMatch(/^s=ada%3B%20%C3%A9\.\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    expect((await ask({ headers: sentBack(set) })).json()).toEqual({ value: 'ada; é', isOld: false })
  })

  test('is nothing when it is forged, of another name, unsigned, or not there', async () => {
    const { ask } = await withCookies(visits)
    const { cookie } = sentBack(await ask('/set'))
    for (const sent of [
      cookie.replace('ada', 'eve'),
      `t=1; ${cookie.replace('s=', 't=')}`,
      's=ada',
      's=',
      'x=1',
    ]) {
      expect((await ask({ headers: { cookie: sent } })).json()).toBeNull()
    }
  })

  test('of an old secret is told, until the secret goes', async () => {
    const set = await (await withCookies(visits, { secrets: [OLD] })).ask('/set')
    const rotated = await withCookies(visits, { secrets: [NEW, OLD] })
    expect((await rotated.ask({ headers: sentBack(set) })).json()).toEqual({ value: 'ada; é', isOld: true })
    const without = await withCookies(visits, { secrets: [NEW] })
    expect((await without.ask({ headers: sentBack(set) })).json()).toBeNull()
  })

  test('is refused when its maxAge is over, whatever the client does', async () => {
    const { ask } = await withCookies(request => {
      const all = cookiesOf(request)
      if (request.path === '/set') all.setSigned('s', 'x', { maxAge: Number(request.query.get('for')) })
      return String(all.getSigned('s')?.value)
    })
    const over = await ask('/set?for=0')
    expect(lines(over)[0]).toContain('Max-Age=0')
    expect((await ask({ headers: sentBack(over) })).text()).toBe('undefined')
    const good = await ask('/set?for=60000')
    expect(lines(good)[0]).toMatch(/^s=x\.\d{10}\.[\w-]+; Max-Age=60;/)
    expect((await ask({ headers: sentBack(good) })).text()).toBe('x')
  })

  test('has the maxAge of the defaults in its signature, too', async () => {
    const { ask } = await withCookies(visits, { secrets: [NEW], defaults: { maxAge: 0 } })
    const set = await ask('/set')
    expect((await ask({ headers: sentBack(set) })).json()).toBeNull()
  })

  test('cannot be made or read without secrets', async () => {
    for (const use of ['getSigned', 'setSigned'] as const) {
      const { ask, reports } = await withCookies(request => void cookiesOf(request)[use]('s', 'x'), {})
      expect((await ask()).status).toBe(500)
      expect(reports[0]!.message).toContain(
        'cookies: "s" cannot be signed or verified: cookies() has neither secrets nor secretsFile',
      )
    }
  })
})

describe('shared caches', () => {
  const ways: Readonly<Record<string, (request: HttpRequest) => unknown>> = {
    'a cookie that is set': request => cookiesOf(request).set('a', '1'),
    'a signed cookie that is read': request => cookiesOf(request).getSigned('a'),
  }

  describe.each(Object.entries(ways))('%s', (_what, use) => {
    const cached = async (cacheControl: string) => {
      let made = 0
      const { ask } = await serve([
        cookies({ secrets: [NEW] }),
        cache(),
        handler(request => {
          use(request)
          return HttpResponse.text(String(++made), { headers: { 'cache-control': cacheControl } })
        }),
      ])
      return [await ask(), await ask()] as const
    }

    test('keeps the answer out of ours', async () => {
      const [first, second] = await cached('max-age=60')
      expect([first.text(), second.text()]).toEqual(['1', '2'])
    })

    test('keeps the answer out of others', async () => {
      expect((await cached('max-age=60'))[0].headers.get('cache-control')).toBe('private, max-age=60')
      expect((await cached('private, max-age=60'))[0].headers.get('cache-control')).toBe(
        'private, max-age=60',
      )
      expect((await cached('no-store'))[0].headers.get('cache-control')).toBe('no-store')
      expect((await cached('private="x, y"'))[0].headers.get('cache-control')).toBe('private')
    })
  })

  test('get what says that it is for everybody, unless it sets a cookie', async () => {
    const forAll = { headers: { 'cache-control': 'Public , s-maxage=9, ext="a, b", max-age=60' } }
    const { ask } = await withCookies(request => {
      ways[request.path === '/set' ? 'a cookie that is set' : 'a signed cookie that is read']!(request)
      return HttpResponse.text('x', forAll)
    })
    expect((await ask('/')).headers.get('cache-control')).toBe(forAll.headers['cache-control'])
    expect((await ask('/set')).headers.get('cache-control')).toBe('private, ext="a, b", max-age=60')
  })

  test('are told even when the answer says nothing', async () => {
    const { ask } = await withCookies(request => void cookiesOf(request).getSigned('a'))
    expect((await ask()).headers.get('cache-control')).toBe('private')
  })

  test('hear nothing of a cookie that is only read', async () => {
    const { ask } = await withCookies(request => cookiesOf(request).get('a'))
    const response = await ask({ headers: { cookie: 'a=1' } })
    expect([response.text(), response.headers.get('cache-control')]).toEqual(['1', undefined])
  })
})

describe('cookiesOf', () => {
  const set = (request: HttpRequest) => void cookiesOf(request).set('a', '1')

  test('is one object for one request', async () => {
    const { ask } = await withCookies(request => {
      const [first, second] = [cookiesOf(request), cookiesOf(request)]
      return String(first === second)
    })
    expect((await ask()).text()).toBe('true')
  })

  test('without the plugin says what is missing, and where', async () => {
    const { ask, reports } = await serve({ sites: [{ name: 'shop', plugins: [handler(set)] }] })
    expect((await ask()).status).toBe(500)
    expect(reports[0]!.message).toContain(
      'cookiesOf: no cookies() plugin serves this request of site "shop": add one',
    )
  })

  test('works in routes', async () => {
    const { ask } = await serve([
      cookies(),
      router({
        'GET /in': ({ request, cookies: sent }) => {
          set(request)
          return sent.get('b') ?? 'none'
        },
      }),
    ])
    const response = await ask({ url: '/in', headers: { cookie: 'b=2' } })
    expect([response.text(), lines(response)]).toEqual(['2', [plain('a')]])
  })

  test('goes out of a scope by a rewrite, and is not lost', async () => {
    const moves = tapped(Handle.Early - 5, request => void request.rewrite('/out'))
    const set = handler(request => void cookiesOf(request).set('a', '1'))
    const { ask } = await serve([scope({ path: '/in/*' }, [cookies()]), moves, set])
    expect(lines(await ask('/in/x'))).toEqual([plain('a')])
  })

  test('has the options of the innermost plugin: scope, site, root', async () => {
    const named = (path: string) => cookies({ defaults: { path } })
    const plugins: Plugins = [named('/site'), scope({ path: '/in/*' }, [named('/scope')]), handler(set)]
    const { ask } = await serve({
      plugins: [named('/root')],
      sites: [
        { name: 'a', hosts: ['a.test'], plugins },
        { name: 'b', hosts: ['*'], plugins: [handler(set)] },
      ],
    })
    const of = async (url: string) => lines(await ask(url))
    expect(await of('http://a.test/in/x')).toEqual(['a=1; Path=/scope; HttpOnly; SameSite=Lax'])
    expect(await of('http://a.test/')).toEqual(['a=1; Path=/site; HttpOnly; SameSite=Lax'])
    expect(await of('http://b.test/')).toEqual(['a=1; Path=/root; HttpOnly; SameSite=Lax'])
  })
})
