import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { HttpResponse } from 'rawhttp'
import { cookies, cookiesOf } from 'rawhttp/plugins/cookies'
import { router } from 'rawhttp/plugins/router'
import { expect, test } from 'vitest'
import { startServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { needTool } from '../../support/tools.ts'
import { NEW } from './serve.ts'

const site = router({
  'POST /login': async ({ request, body }) => {
    cookiesOf(request).setSigned('session', await body.text(), { maxAge: '1h' })
    return HttpResponse.redirect('/me', 303)
  },
  'GET /me': ({ request }) => cookiesOf(request).getSigned('session')?.value ?? HttpResponse.error(401),
  'POST /logout': ({ request }) => {
    cookiesOf(request).delete('session')
    return HttpResponse.redirect('/me', 303)
  },
})

test('a browser-like client logs in, comes back and logs out with its cookie jar', async () => {
  const curl = needTool('curl', 'curl')
  await using served = await startServer({ plugins: [cookies({ secrets: [NEW] }), site] })
  const jar = join(dirname(await tempFile('empty', '')), 'jar')
  const visit = async (path: string, ...more: string[]) => {
    const args = ['-sS', '--max-time', '20', '-L', '-b', jar, '-c', jar, '-w', ' %{http_code}', ...more]
    return (await promisify(execFile)(curl, [...args, `${served.url}${path}`])).stdout
  }
  expect(await visit('/me')).toContain(' 401')
  const user = 'Ada "the first"; 50% é'
  expect(await visit('/login', '--data-raw', user)).toBe(`${user} 200`)
  expect(await visit('/me')).toBe(`${user} 200`)
  // The same curl asks for /me next. Another would find the cookie again: curl 7 reads its jar once more before it writes.
  expect(await visit('/logout', '-d', '')).toContain(' 401')
})
