import fc from 'fast-check'
import { createServer, definePlugin, Handle, HttpRequest, HttpResponse, Slots } from 'rawhttp'
import { type AccessLogOptions, accessLog } from 'rawhttp/plugins/access-log'
import { describe, expect, test } from 'vitest'
import { logged, plain } from './log.ts'
import { memorySink } from './memory-sink.ts'

const client = { address: '192.0.2.7', port: 4711 }

/** Answers with what guards, routers, caches and request ids leave on a request. */
const site = definePlugin({
  name: 'site',
  site: site =>
    site.hooks.handle.tap({ name: 'site', stage: Handle.Route }, request => {
      request.set(Slots.user, 'ann lee')
      request.set(Slots.route, '/users/:id')
      request.set(Slots.requestId, 'r-1')
      request.set(Slots.cacheStatus, 'miss')
      const headers = { 'x-two': 'a', vary: 'Accept' }
      return HttpResponse.text('hello', { headers }).append('x-two', 'b')
    }),
})

async function lineOf(options: AccessLogOptions, url = '/users/7?a=b', headers = {}): Promise<string> {
  const log = await logged(options, site)
  await log.server.inject({ url, headers, client })
  return (await log.lines())[0]!
}

describe('a template', () => {
  test.each([
    ['{client} {port} {user}', '192.0.2.7 4711 ann\\x20lee'],
    ['{method} {path} {query} {target}', 'GET /users/7 a=b /users/7?a=b'],
    ['{line}|{protocol}|{scheme}|{host}', 'GET /users/7?a=b HTTP/1.1|HTTP/1.1|http|localhost'],
    ['{status} {bytes} {bodyBytes} {result}', '200 5 5 sent'],
    ['{site} {route} {requestId} {cacheStatus} {sample}', 'test /users/:id r-1 miss 1'],
    ['{error} {refused} {listener} {tls} {referer} {userAgent}', '- - - - - -'],
    ['{request.accept} {request.X-None} {response.x-two}', 'text/html - a,\\x20b'],
    ['"{request.accept}" "{response.content-type}"', '"text/html" "text/plain; charset=utf-8"'],
    ['{{{status}}} {{}}', '{200} {}'],
    ['{status}\t{method}', '200\tGET'],
  ] as const)('%s', async (format, line) => {
    expect(await lineOf({ format }, undefined, { accept: 'text/html' })).toBe(line)
  })

  test('has times in RFC 3339 and as Apache writes them, and milliseconds', async () => {
    const line = await lineOf({ format: '{time} [{localTime}] {milliseconds}ms' })
    expect(line).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] \d+(\.\d{1,3})?ms$/,
    )
  })

  test('escapes in each place what would end the field there', async () => {
    const format = '{userAgent}|"{userAgent}";{userAgent};[{userAgent}]'
    const line = await lineOf({ format }, '/', { 'user-agent': 'a |;]"\\\té' })
    const both = '\\x22\\x5C\\x09\\xE9'
    expect(line).toBe(
      `a\\x20\\x7C;\\x5D${both}|"a |;]${both}";a\\x20|\\x3B\\x5D${both};[a\\x20|;\\x5D${both}]`,
    )
  })

  test('tells of a refused message what is known of it', async () => {
    const log = await logged({ format: '{site} {method} {path} {target} {status} {refused} {route}' }, site)
    await log.server.inject('/a%zz')
    expect(await log.lines()).toEqual(['- GET - /a%zz 400 PATH-ESCAPE -'])
  })

  const text = fc.string({ unit: fc.constantFrom('|', ' ', '"', '\\', '\n', '\t', 'x', '0', 'é', '{', ';') })
  test('never has a field that ends early, whatever a client sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 20 }), async sent => {
        const log = await logged({ format: '{userAgent}|{referer} "{userAgent}" {status}' })
        await log.server.inject('/first')
        for (const [agent, referer] of sent) {
          const fields = ['host', 'localhost', 'user-agent', agent, 'referer', referer]
          const sink = memorySink()
          log.server.dispatch(new HttpRequest({ method: 'GET', target: '/', fields }), sink)
          sink.onClose?.(null)
        }
        const lines = (await log.lines()).slice(1)
        const shape = /^([^| ]+)\|([^ ]+) "([^"]+)" 404$/
        const read = lines.map(line => shape.exec(line)?.slice(1).map(plain))
        expect(read).toEqual(sent.map(([agent, referer]) => [agent || '-', referer || '-', agent || '-']))
      }),
      { numRuns: 20 },
    )
  })

  test('cuts what is longer than 8 kB, and the fields of combined earlier', async () => {
    const long = `${'é'.repeat(3_000)}`
    const line = await lineOf({ format: '{userAgent}' }, '/', { 'user-agent': long })
    expect(line).toHaveLength(8_192 - 1)
    expect(line).toMatch(/^(\\xE9)+\.\.\.$/)
    const url = `/${'x'.repeat(6_000)}`
    const headers = { 'user-agent': long, referer: `http://a/${long}` }
    const combined = await lineOf({}, url, headers)
    expect(combined).toMatch(/ \/x+\.\.\. HTTP\/1\.1" 200 5 "http:\/\/a\/(\\xE9)+\.\.\." "(\\xE9)+\.\.\."$/)
    expect(combined.length).toBeLessThan(4_095)
  })
})

describe('the fields of JSON', () => {
  test('may be chosen', async () => {
    const fields = ['status', 'path', 'request.accept', 'response.vary', 'error'] as const
    const line = await lineOf({ format: 'json', fields }, undefined, { accept: 'a"\n\u009b' })
    expect(line).toBe(
      '{"status":200,"path":"/users/7","request.accept":"a\\"\\n\\u009b","response.vary":"Accept","error":null}',
    )
  })

  test('may have names of their own', async () => {
    const fields = { '@timestamp': 'time', 'a"b\n': 'method', id: 'requestId' } as const
    const line = await lineOf({ format: 'json', fields })
    expect(line).toMatch(/^[ -~]+$/)
    expect(JSON.parse(line)).toEqual({
      '@timestamp': expect.stringMatching(/^\d{4}-.*Z$/),
      'a"b\n': 'GET',
      id: 'r-1',
    })
  })

  test('have what slots hold, and are cut at 8 kB', async () => {
    const line = await lineOf({ format: 'json' }, '/', { 'user-agent': 'x'.repeat(10_000) })
    const { userAgent, ...rest } = JSON.parse(line)
    expect(rest).toMatchObject({
      user: 'ann lee',
      route: '/users/:id',
      requestId: 'r-1',
      cacheStatus: 'miss',
    })
    expect(userAgent).toBe(`${'x'.repeat(8_189)}...`)
  })
})

describe('a mistake is told when the config loads', () => {
  test.each([
    [{ format: '{stauts}' }, "format: unknown field 'stauts'; did you mean 'status'?"],
    [{ format: '{xxxxxxxxxxx}' }, "format: unknown field 'xxxxxxxxxxx'; known are time, localTime, site"],
    [{ format: '{status' }, "format: a single '{'; write '{{' for the character"],
    [{ format: '{status}}' }, "format: a single '}'; write '}}' for the character"],
    [{ format: '{time}\n' }, 'format: a template is printable ASCII on one line'],
    [{ format: '{time} é' }, 'format: a template is printable ASCII on one line'],
    [
      { format: '{response.Content-Length}' },
      "format: 'response.Content-Length' is known only to the writer; use 'bodyBytes'",
    ],
    [{ format: 3 }, "format: expected 'combined', 'common', 'json' or a template such as"],
    [{ format: 'json', fields: ['time', 'tiem'] }, "fields[1]: unknown field 'tiem'; did you mean 'time'?"],
    [{ format: 'json', fields: { a: 'tiem' } }, "fields.a: unknown field 'tiem'; did you mean 'time'?"],
    [{ format: 'json', fields: [] }, 'fields: expected at least one field, got none'],
    [{ format: 'json', fields: 3 }, 'fields: expected names of fields, or fields by name such as'],
    [{ fields: ['time'] }, "fields: is for format 'json' only"],
  ])('%j', async (options, sentence) => {
    const loading = createServer({ plugins: [accessLog(options as never)] })
    await expect(loading).rejects.toThrow(`plugins[0] (access-log): options.${sentence}`)
  })
})
