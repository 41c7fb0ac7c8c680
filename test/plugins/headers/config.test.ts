import fc from 'fast-check'
import { ConfigError, createServer } from 'rawhttp'
import { headers } from 'rawhttp/plugins/headers'
import { expect, test } from 'vitest'

/** What the config says of these options; null when it takes them. */
async function failures(options: unknown): Promise<string[] | null> {
  const error: unknown = await createServer({
    plugins: [headers(options as Parameters<typeof headers>[0])],
  }).then(
    () => null,
    thrown => thrown,
  )
  if (error === null) return null
  if (!(error instanceof ConfigError)) throw error
  return [error, ...error.also].map(({ message }) =>
    message.replace(/^config: plugins\[0\] \(headers\): options(?:\.|: )?/, ''),
  )
}

const body =
  'is about the body, which is finished when this is done: give it where the answer is made (static: types, headers)'
const kernel = 'belongs to the connection, and only the kernel sends it'
const vary = 'vary may only grow, since caches must hear of all that an answer was chosen by: use append'

test.each<[unknown, string[]]>([
  [
    undefined,
    [
      "expected a rule such as { path: '/assets/*', set: { 'x-robots-tag': 'noindex' } }, or a list, got undefined",
    ],
  ],
  [{}, ['expected remove, set, default or append: this changes nothing']],
  [[{ set: {} }, { path: '/a' }], ['[1]: expected remove, set, default or append: this changes nothing']],
  [{ sets: {} }, [expect.stringContaining('sets: unknown option')]],
  [{ set: { 'Content-Type': 'text/html' } }, [`set: content-type ${body}`]],
  [{ append: { 'content-language': 'en' } }, [`append: content-language ${body}`]],
  [{ default: { ETag: '"x"' } }, [`default: etag ${body}`]],
  [
    { remove: ['last-modified', 'Accept-Ranges'] },
    [`remove[0]: last-modified ${body}`, `remove[1]: accept-ranges ${body}`],
  ],
  [{ set: { Connection: 'close' } }, [`set: connection ${kernel}`]],
  [{ remove: ['transfer-encoding'] }, [`remove[0]: transfer-encoding ${kernel}`]],
  [{ set: { vary: 'Cookie' } }, [`set: ${vary}`]],
  [{ default: { Vary: 'Cookie' } }, [`default: ${vary}`]],
  [{ remove: ['vary'] }, [`remove[0]: ${vary}`]],
  [{ append: { vary: 'Cookie, a b' } }, ['append: "a b" is not a field name (RFC 9110 section 5.1)']],
  [{ append: { vary: ['Cookie', 'Origin,'] } }, ['append: "" is not a field name (RFC 9110 section 5.1)']],
  [{ set: { 'x a': 'b' } }, ['set: "x a" is not a field name (RFC 9110 section 5.1)']],
  [{ remove: [''] }, ['remove[0]: "" is not a field name (RFC 9110 section 5.1)']],
  [
    { set: { a: 'b\r\nc: d' } },
    [expect.stringContaining('set: a: expected text of latin1 without control characters')],
  ],
  [{ append: { a: ['b', '\u20ac'] } }, [expect.stringContaining('append: a: expected text of latin1')]],
  [{ set: { a: 3 } }, ['set.a: expected the value of a field, a string, got 3']],
  [{ append: { a: [3] } }, [expect.stringContaining('append.a')]],
  [{ set: [] }, [expect.stringContaining("set: expected fields such as { 'x-robots-tag': 'noindex' }")]],
  [{ remove: 'a' }, ["remove: expected names of fields such as ['x-powered-by'], got 'a'"]],
  [
    { status: 99, set: {} },
    ["status: expected a status such as 404, '2xx' or 'error', or a list of them, got 99"],
  ],
  [{ status: '404', set: {} }, [expect.stringContaining('status: expected a status such as 404')]],
  [{ status: [], set: {} }, [expect.stringContaining('got an empty list')]],
  [{ path: 'a', set: {} }, ["path: expected a path such as '/admin/*', or a list of at least one, got 'a'"]],
  [{ path: '/a/..', set: {} }, ['path: "/a/..": no path can match it']],
  [{ hosts: ['a b'], set: {} }, [expect.stringContaining('hosts[0]: expected a host such as')]],
  [{ methods: 'GET', set: {} }, ["methods: expected a list of at least one method, got 'GET'"]],
])('%j is refused when the config loads', async (options, problems) => {
  expect(await failures(options)).toEqual(problems)
})

test('names and values that the config takes are sent as they are, and no others', async () => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 0x101 }).map(code => String.fromCharCode(code)),
    maxLength: 8,
  })
  await fc.assert(
    fc.asyncProperty(text, text, async (name, value) => {
      const options = { set: { [`x${name}`]: value }, append: { [`y${name}`]: value } }
      const isRight = /^[\w!#$%&'*+.^`|~-]*$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
      const problems = await failures(options)
      expect(problems === null).toBe(isRight)
      if (problems !== null) return
      const server = await createServer({ plugins: [headers(options)] })
      const answer = await server.inject()
      expect(answer.headers.getAll(`x${name}`.toLowerCase())).toEqual([value])
      expect(answer.headers.getAll(`y${name}`.toLowerCase())).toEqual([value])
      await server.stop()
    }),
    { numRuns: 300 },
  )
})
