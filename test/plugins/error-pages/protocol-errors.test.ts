import type { SiteConfig } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { expect, onTestFinished, test } from 'vitest'
import { exchangeBytes } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { tempPages } from './temp-pages.ts'

const pages = { '4xx.html': '<p>{{status}} {{detail}}</p>', '5xx.html': '<p>{{status}} {{detail}}</p>' }

async function serve(where: 'root' | 'site', files: Readonly<Record<string, string>> = pages) {
  const plugins = [errorPages({ root: await tempPages(files) })]
  const site: SiteConfig = { name: 'site', hosts: ['localhost'] }
  const server = await startServer(
    where === 'root' ? { plugins, sites: [site] } : { sites: [{ ...site, plugins }] },
  )
  onTestFinished(() => server[Symbol.asyncDispose]())
  return (message: string) => exchangeBytes(server.port, message)
}

const host = 'Host: localhost\r\n'

test.each([
  ['a bad escape', `GET /%zz HTTP/1.1\r\n${host}\r\n`, 400],
  ['an escaped NUL', `GET /%00 HTTP/1.1\r\n${host}\r\n`, 400],
  ['a climb', `GET /../x HTTP/1.1\r\n${host}\r\n`, 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['a head that is too large', `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ['two framings', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
])('a root plugin answers for %s', async (_what, message, status) => {
  const ask = await serve('root')
  const answer = await ask(message)
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(answer).toMatch(/^content-type: text\/html; charset=utf-8\r$/im)
  expect(answer).toMatch(/^connection: close\r$/im)
  expect(answer).toMatch(new RegExp(`\r\n\r\n<p>${status} [a-zA-Z].*</p>$`))
  expect(answer).toMatch(
    new RegExp(`^content-length: ${answer.length - answer.indexOf('\r\n\r\n') - 4}\r$`, 'im'),
  )
})

test("a 5xx of the protocol shows its sentence, which is the kernel's own", async () => {
  const ask = await serve('root')
  expect(await ask(`GET / HTTP/2.0\r\n${host}\r\n`)).toMatch(
    /^HTTP\/1\.1 505 [\s\S]*\r\n\r\n<p>505 the major version is not 1<\/p>$/,
  )
})

test('a host that no site takes gets a page of the root', async () => {
  const ask = await serve('root')
  expect(await ask('GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 [\s\S]*<p>421 /)
})

test('without a page for it a refused message gets the built-in one', async () => {
  const ask = await serve('root', { '404.html': 'lost' })
  const answer = await ask(`GET /%zz HTTP/1.1\r\n${host}\r\n`)
  expect(answer).toMatch(/^content-type: text\/html; charset=utf-8\r$/im)
  expect(answer).toContain('<p>the path has a broken percent escape or an escaped NUL</p>')
})

test('a refused message of a client that asks for JSON gets problem details, HEAD their head', async () => {
  const ask = await serve('root')
  const accept = 'Accept: application/json\r\n'
  const get = await ask(`GET /%zz HTTP/1.1\r\n${host}${accept}\r\n`)
  expect(get).toMatch(/^content-type: application\/json\r$/im)
  expect(get).toMatch(/^vary: Accept\r$/im)
  expect(JSON.parse(get.slice(get.indexOf('\r\n\r\n')))).toEqual({
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'the path has a broken percent escape or an escaped NUL',
  })
  const head = await ask(`HEAD /%zz HTTP/1.1\r\n${host}${accept}\r\n`)
  const withoutDate = (text: string) => text.replace(/date: .*\r\n/i, '')
  expect(withoutDate(head)).toBe(withoutDate(get.slice(0, get.indexOf('\r\n\r\n') + 4)))
})

test("a refused message of a client that takes neither gets the kernel's text", async () => {
  const ask = await serve('root')
  const answer = await ask(`GET /%zz HTTP/1.1\r\n${host}Accept: text/plain\r\n\r\n`)
  expect(answer).toMatch(/^content-type: text\/plain; charset=utf-8\r$/im)
  expect(answer).toMatch(/^vary: Accept\r$/im)
  expect(answer).toMatch(/\r\n\r\n400 Bad Request\nthe path has a broken/)
})

test("a site's plugin does not answer for messages that reach no site", async () => {
  const ask = await serve('site')
  expect(await ask(`GET /%zz HTTP/1.1\r\n${host}\r\n`)).not.toContain('<p>')
  expect(await ask(`GET /lost HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)).toContain('<p>404 ')
})
