import { type HttpRequest, HttpResponse, type InjectOptions } from 'rawhttp'
import { lint } from 'rawhttp/plugins/lint'
import { describe, expect, test } from 'vitest'
import { ruleIds } from '../../../plugins/lint/rules/index.ts'
import { serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

type Fields = Readonly<Record<string, string>> | readonly (readonly [string, string])[]

interface Case {
  /** Of the answer. A function makes the answer itself. */
  readonly answer: Fields | ((request: HttpRequest) => HttpResponse)
  readonly status?: number
  readonly body?: string | null
  /** What is asked; of several requests the findings of all count. */
  readonly ask?: InjectOptions | readonly InjectOptions[]
}

const fresh = 'max-age=60'
const whole = 'a=b; HttpOnly; SameSite=Lax'
const html = 'text/html; charset=utf-8'
const tls = { url: 'https://localhost/' }
const nosniff = { 'x-content-type-options': 'nosniff' }
const gzip = { headers: { 'accept-encoding': 'gzip, br' } }
const of = (fields: Fields, rest: Omit<Case, 'answer'> = {}): Case => ({ answer: fields, ...rest })

/** Asked for twice, by two values of a field, which the answer shows in another one. */
const chosen = (by: string, values: readonly string[], make: (value: string) => Fields): Case => ({
  answer: ({ headers }) => new HttpResponse(200, 'x', make(headers.get(by) ?? '')),
  ask: values.map(value => ({ headers: { [by]: value } })),
})
const types = ['text/html; charset=utf-8', 'application/json']
const origins = ['https://a.example', 'https://b.example']

const revalidated =
  (fields: Fields): Case['answer'] =>
  ({ headers }) =>
    headers.has('x-again')
      ? new HttpResponse(304, null, fields)
      : HttpResponse.html('x', { headers: { etag: '"a"', vary: 'Cookie', 'cache-control': 'no-cache' } })
const twice = [{}, { headers: { 'x-again': '1' } }]

const text = 'word '.repeat(10_000)

/** What each rule finds, and what is close to it and right. */
const cases: Readonly<Record<string, { readonly bad: readonly Case[]; readonly good: readonly Case[] }>> = {
  'cache-control-contradiction': {
    bad: [
      of({ 'cache-control': 'no-store, max-age=60' }),
      of({ 'cache-control': 'public, private' }),
      of({ 'cache-control': 'private, s-maxage=60' }),
      of({ 'cache-control': 'public, immutable' }),
    ],
    good: [
      of({ 'cache-control': 'no-store, max-age=0' }),
      of({ 'cache-control': 'public, private="set-cookie", max-age=60' }),
      of({ 'cache-control': 'private, max-age=60' }),
      of({ 'cache-control': 'public, max-age=60, immutable' }),
    ],
  },
  'cache-control-syntax': {
    bad: [
      of({ 'cache-control': 'max-age: 60' }),
      of({ 'cache-control': 'max-age=1h' }),
      of({ 'cache-control': 'public max-age=60' }),
    ],
    good: [
      of({ 'cache-control': 'Max-Age=60, no-cache="set-cookie, x-a", made-up=1' }),
      of({ 'cache-control': 'max-age=60, ' }),
    ],
  },
  'challenge-missing': {
    bad: [of({}, { status: 401 })],
    good: [of({ 'www-authenticate': 'Basic realm="x"' }, { status: 401 }), of({}, { status: 403 })],
  },
  'charset-missing': {
    bad: [of({ 'content-type': 'text/html' }), of({ 'content-type': 'text/css; level=1' })],
    good: [
      of({ 'content-type': 'text/html;charset=utf-8' }),
      of({ 'content-type': 'application/json' }),
      of({ 'content-type': 'text/event-stream' }),
    ],
  },
  'coding-double': {
    bad: [
      of({ 'content-encoding': 'gzip, br', vary: 'accept-encoding' }),
      of({ 'content-encoding': 'gzip', vary: 'accept-encoding', 'content-type': 'image/png' }),
    ],
    good: [
      of({ 'content-encoding': 'gzip', vary: 'accept-encoding' }),
      of({ 'content-encoding': 'gzip', vary: 'accept-encoding', 'content-type': 'image/svg+xml' }),
    ],
  },
  'cookie-http-only': {
    bad: [of({ 'set-cookie': 'a=b; SameSite=Lax' })],
    good: [
      of({ 'set-cookie': 'a=b; SameSite=Lax; httponly' }),
      of({ 'set-cookie': 'XSRF-TOKEN=b; SameSite=Lax' }),
      of({ 'set-cookie': 'a=; Max-Age=0' }),
      of({ 'set-cookie': 'a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT' }),
    ],
  },
  'cookie-refused': {
    bad: [
      of({ 'set-cookie': 'a=b; HttpOnly; SameSite=None' }),
      of({ 'set-cookie': `${whole}; Partitioned` }),
      of({ 'set-cookie': `a=${'b'.repeat(4_100)}; HttpOnly; SameSite=Lax` }),
      of({ 'set-cookie': `__Secure-${whole}` }),
      of({ 'set-cookie': `__Host-${whole}; Path=/` }),
      of({ 'set-cookie': `__Host-${whole}; Secure` }),
      of({ 'set-cookie': `__Host-${whole}; Secure; Path=/; Domain=example.com` }),
    ],
    good: [
      of({ 'set-cookie': 'a=b; HttpOnly; SameSite=None; Secure' }),
      of({ 'set-cookie': `${whole}; Partitioned; Secure` }),
      of({ 'set-cookie': `a=${'b'.repeat(4_000)}; HttpOnly; SameSite=Lax` }),
      of({ 'set-cookie': `__Secure-${whole}; Secure` }),
      of({ 'set-cookie': `__Host-${whole}; Secure; Path=/` }),
    ],
  },
  'cookie-same-site': {
    bad: [of({ 'set-cookie': 'a=b; HttpOnly' })],
    good: [of({ 'set-cookie': 'a=b; HttpOnly; SameSite=Strict' })],
  },
  'cookie-secure': {
    bad: [of({ 'set-cookie': whole }, { ask: tls })],
    good: [of({ 'set-cookie': `${whole}; Secure` }, { ask: tls }), of({ 'set-cookie': whole })],
  },
  'cookie-shared': {
    bad: [
      of({ 'set-cookie': whole, 'cache-control': 'public' }),
      of({ 'set-cookie': whole, 'cache-control': fresh }),
      of({ 'set-cookie': whole, expires: 'Fri, 01 Jan 2100 00:00:00 GMT', 'cache-control': 'made-up' }),
    ],
    good: [
      of({ 'set-cookie': whole, 'cache-control': `private, ${fresh}` }),
      of({ 'set-cookie': whole, 'cache-control': 'max-age=0' }),
      of({ 'set-cookie': whole }),
      of({ 'set-cookie': whole, 'cache-control': 'public' }, { ask: { method: 'POST' } }),
    ],
  },
  'cors-credentials': {
    bad: [of({ 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' })],
    good: [
      of({ 'access-control-allow-origin': '*' }),
      of({ 'access-control-allow-origin': 'https://a.example', 'access-control-allow-credentials': 'true' }),
    ],
  },
  'cors-origin': {
    bad: [
      of({ 'access-control-allow-origin': 'https://a.example/' }),
      of({ 'access-control-allow-origin': 'https://a.example, https://b.example' }),
      of({ 'access-control-allow-origin': 'a.example' }),
      of({ 'access-control-allow-origin': 'https://A.example' }),
    ],
    good: [
      of({ 'access-control-allow-origin': 'https://a.example:8443' }),
      of({ 'access-control-allow-origin': 'null' }),
      of({ 'access-control-allow-origin': 'capacitor://localhost' }),
    ],
  },
  'csp-unsafe-inline': {
    bad: [
      of({ 'content-security-policy': "default-src 'self' 'unsafe-inline'" }),
      of({ 'content-security-policy': "default-src 'self'; script-src 'unsafe-inline'" }),
    ],
    good: [
      of({ 'content-security-policy': "default-src 'self'; style-src 'unsafe-inline'" }),
      of({ 'content-security-policy': "script-src 'unsafe-inline' 'nonce-YQ=='" }),
      of({ 'content-security-policy': "default-src 'unsafe-inline'; script-src 'self'" }),
    ],
  },
  'date-syntax': {
    bad: [
      of({ 'last-modified': '2026-01-01T00:00:00Z' }),
      of({ 'last-modified': 'Invalid Date' }),
      of({ expires: '0', 'cache-control': 'no-cache' }),
    ],
    good: [
      of({ 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }),
      of({ expires: 'Thu, 01 Jan 1970 00:00:00 GMT', 'cache-control': 'no-cache' }),
    ],
  },
  'disposition-raw': {
    bad: [
      of({ 'content-disposition': 'attachment; filename="r\u00e9sum\u00e9.pdf"', ...nosniff }),
      of({ 'content-disposition': 'attachment; filename=a report.pdf', ...nosniff }),
      of({ 'content-disposition': 'attachment; filename="a%20report.pdf"', ...nosniff }),
    ],
    good: [
      of({ 'content-disposition': 'attachment; filename="a report.pdf"; filename*=UTF-8\'\'a%20report.pdf' }),
      of({ 'content-disposition': 'attachment; filename=report.pdf' }),
      of({ 'content-disposition': 'inline' }),
    ],
  },
  'error-shared': {
    bad: [of({ 'cache-control': fresh }, { status: 500 })],
    good: [
      of({ 'cache-control': 'no-store' }, { status: 500 }),
      of({ 'cache-control': fresh }, { status: 404 }),
      of({}, { status: 500 }),
    ],
  },
  'etag-syntax': {
    bad: [of({ etag: 'abc' }), of({ etag: 'w/"abc"' }), of({ etag: '"a"b"' })],
    good: [of({ etag: '"abc"' }), of({ etag: 'W/"abc"' }), of({ etag: '""' })],
  },
  'expires-alone': {
    bad: [of({ expires: 'Fri, 01 Jan 2100 00:00:00 GMT' })],
    good: [of({ expires: 'Fri, 01 Jan 2100 00:00:00 GMT', 'cache-control': fresh })],
  },
  'field-obsolete': {
    bad: [
      of({ pragma: 'no-cache' }),
      of({ 'x-xss-protection': '1; mode=block' }),
      of({ 'x-frame-options': 'ALLOW-FROM https://a.example' }),
    ],
    good: [
      of({ 'cache-control': 'no-cache' }),
      of({ 'x-xss-protection': '0' }),
      of({ 'x-frame-options': 'DENY' }),
    ],
  },
  'field-repeated': {
    bad: [
      of([
        ['etag', '"a"'],
        ['etag', '"b"'],
      ]),
      of([
        ['location', '/a'],
        ['location', '/a'],
      ]),
    ],
    good: [
      of([
        ['vary', 'a'],
        ['vary', 'b'],
      ]),
      of({ etag: '"a"' }),
    ],
  },
  'hsts-plain': {
    bad: [of({ 'strict-transport-security': fresh })],
    good: [of({ 'strict-transport-security': fresh }, { ask: tls })],
  },
  'last-modified-future': {
    bad: [of({ 'last-modified': 'Fri, 01 Jan 2100 00:00:00 GMT' })],
    good: [
      of({ 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }),
      of({ 'last-modified': 'Fri, 01 Jan 2100 00:00:00 GMT', date: 'Fri, 01 Jan 2100 00:00:00 GMT' }),
    ],
  },
  'location-missing': {
    bad: [of({}, { status: 302 }), of({}, { status: 308 })],
    good: [of({ location: '/there' }, { status: 302 }), of({}, { status: 300 })],
  },
  'location-raw': {
    bad: [
      of({ location: '/a b' }, { status: 302 }),
      of({ location: '/caf\u00e9' }, { status: 302 }),
      of({ location: '/100%' }, { status: 302 }),
    ],
    good: [of({ location: '/a%20b?c=%C3%A9#d' }, { status: 302 }), of({ location: 'a' }, { status: 201 })],
  },
  'not-modified-incomplete': {
    bad: [{ answer: revalidated({ etag: '"a"', 'cache-control': 'no-cache' }), ask: twice }],
    good: [
      { answer: revalidated({ etag: '"a"', 'cache-control': 'no-cache', vary: 'Cookie' }), ask: twice },
      // What the kernel makes of the 200.
      { answer: revalidated({}), ask: [{}, { headers: { 'if-none-match': '"a"' } }] },
      // Of which nobody knows what the 200 has.
      { answer: revalidated({ etag: '"a"' }), ask: twice.slice(1) },
    ],
  },
  'nosniff-missing': {
    bad: [
      of({ 'content-type': 'application/octet-stream' }),
      of({ 'content-disposition': 'attachment', 'content-type': 'image/png' }),
    ],
    good: [
      of({ 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' }),
      of({ 'content-type': 'image/png' }),
      of({ 'content-disposition': 'attachment' }, { status: 404 }),
    ],
  },
  'redirect-loop': {
    bad: [
      of({ location: '/' }, { status: 302 }),
      of({ location: 'http://localhost/#top' }, { status: 301 }),
      of({ location: '' }, { status: 307, ask: { method: 'POST' } }),
    ],
    good: [
      of({ location: '/?a' }, { status: 302 }),
      of({ location: '/' }, { status: 303, ask: { method: 'POST' } }),
      of({ location: 'https://localhost/' }, { status: 301 }),
      of({ location: '/', 'set-cookie': whole }, { status: 302 }),
      of({ location: '/' }, { status: 200 }),
    ],
  },
  'retry-after-missing': {
    bad: [of({}, { status: 429 }), of({}, { status: 503 })],
    good: [of({ 'retry-after': '5' }, { status: 429 }), of({}, { status: 500 })],
  },
  'text-uncompressed': {
    bad: [of({}, { body: text, ask: gzip })],
    good: [
      of({}, { body: text }),
      of({}, { body: 'short', ask: gzip }),
      of({}, { body: text, ask: { headers: { 'accept-encoding': 'gzip;q=0, br' } } }),
      of({ 'content-type': 'image/png' }, { body: text, ask: gzip }),
      of({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, { body: text, ask: gzip }),
      of({ 'cache-control': 'no-transform' }, { body: text, ask: gzip }),
    ],
  },
  'type-missing': {
    bad: [{ answer: () => new HttpResponse(200, 'x') }],
    good: [{ answer: () => new HttpResponse(200, '') }, { answer: () => new HttpResponse(204) }, of({})],
  },
  'vary-missing': {
    bad: [
      of({ 'content-encoding': 'gzip' }),
      of({ 'content-encoding': 'gzip', vary: 'Accept' }),
      chosen('accept', types, type => ({ 'content-type': type })),
      chosen('accept-language', ['de', 'en'], each => ({ 'content-language': each, 'content-type': html })),
      chosen('origin', origins, each => ({ 'access-control-allow-origin': each, 'content-type': html })),
    ],
    good: [
      of({ 'content-encoding': 'gzip', vary: 'Cookie, accept-Encoding' }),
      of({ 'content-encoding': 'gzip', 'cache-control': 'no-store' }),
      chosen('accept', types, type => ({ 'content-type': type, vary: 'Accept' })),
      chosen('accept', types, () => ({ 'content-type': html })),
      chosen('origin', origins, () => ({
        'access-control-allow-origin': origins[0]!,
        'content-type': html,
      })),
    ],
  },
  'vary-star': {
    bad: [of({ vary: 'Accept, *', 'cache-control': fresh })],
    good: [of({ vary: '*' }), of({ vary: 'Accept', 'cache-control': fresh })],
  },
  'version-told': {
    bad: [of({ server: 'shop/2.4.1' }), of({ 'x-powered-by': 'PHP' })],
    good: [of({ server: 'shop' })],
  },
}

/** The ids of what is found. */
async function find({ answer, status = 200, body = 'x', ask = {} }: Case): Promise<string[]> {
  const handler =
    typeof answer === 'function'
      ? answer
      : () => {
          const response = new HttpResponse(status, body, answer)
          return response.headers.has('content-type') ? response : response.set('content-type', html)
        }
  const served = await serve([lint(), answering(handler)])
  for (const options of [ask].flat()) await served.ask(options as InjectOptions)
  return served.reports.map(({ message }) => message.split(':', 1)[0]!)
}

test('each rule has its cases', () => {
  expect(Object.keys(cases).sort()).toEqual(ruleIds)
})

describe.each(Object.entries(cases))('%s', (id, { bad, good }) => {
  test.each(bad.map((each, at) => [at + 1, each] as const))('is found in %i', async (_at, each) => {
    expect(await find(each)).toEqual([id])
  })

  test.each(good.map((each, at) => [at + 1, each] as const))(
    'is not found in what is right, %i',
    async (_at, each) => {
      expect(await find(each)).not.toContain(id)
    },
  )
})
