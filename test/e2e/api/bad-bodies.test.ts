import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { launch, type Running, ready } from '../../core/cli/run-cli.ts'
import { chunked, post } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { tempFile } from '../../support/temp-file.ts'
import { needTool } from '../../support/tools.ts'

// What an API does with bodies that are too large, too deep, too many or of another kind: the command that a user
// runs, and clients that are not ours.

const config = fileURLToPath(new URL('./site.config.ts', import.meta.url))
const MB = 1_048_576

let running: Running
let url: string
beforeEach(async () => {
  running = launch(['start', '--config', config])
  url = await ready(running)
})

/** What a client sends. */
interface Sent {
  readonly path: string
  readonly type: string
  readonly body: string
}

const json = (body: string, type = 'application/json', path = '/json'): Sent => ({ path, type, body })
const form = (body: string, path = '/form'): Sent => ({
  path,
  type: 'application/x-www-form-urlencoded',
  body,
})

function multipart(count: number, path: string, file = ''): Sent {
  const part = `--b\r\nContent-Disposition: form-data; name="a"${file}\r\n\r\nv\r\n`
  return { path, type: 'multipart/form-data; boundary=b', body: `${part.repeat(count)}--b--\r\n` }
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const file = '; filename="f"'

const refused: readonly (readonly [what: string, sent: Sent, status: number, text: string])[] = [
  ['JSON of 2 MB', json(JSON.stringify('x'.repeat(2 * MB))), 413, 'the body is larger than 1048576 bytes'],
  [
    'JSON that is nested 100,000 times',
    json(nested(100_000)),
    400,
    'the JSON is nested deeper than 128 levels',
  ],
  [
    'the same, where a schema waits',
    json(nested(100_000), 'application/json', '/checked'),
    400,
    'nested deeper',
  ],
  ['a key __proto__', json('{"a":[{"__proto__":{"x":1}}]}'), 400, 'the JSON has a key "__proto__"'],
  [
    'the same in escapes',
    json(String.raw`{"\u005f_proto__":{"x":1}}`),
    400,
    'the JSON has a key "__proto__"',
  ],
  ['what is no JSON', json('{"a":'), 400, 'the body is not valid JSON'],
  ['nothing', json(''), 400, 'the body is not valid JSON'],
  [
    'JSON in another charset',
    json('{}', 'application/json; charset=iso-8859-1'),
    415,
    'the body must be in UTF-8',
  ],
  ['JSON that is not UTF-8', json('"\xff"'), 400, 'the body is not valid UTF-8'],
  [
    'text of a charset that nobody knows',
    json('x', 'text/plain; charset=x-none', '/text'),
    415,
    'not known here',
  ],
  ['JSON as text', json('{}', 'text/plain'), 415, 'the body must be JSON (application/json)'],
  ['XML where a schema waits', json('<a/>', 'application/xml', '/checked'), 415, 'the body must be JSON'],
  ['JSON for a form', json('{}', 'application/json', '/form'), 415, 'the body must be a form'],
  ['what the schema refuses', json('{"name":1}', 'application/json', '/checked'), 422, '"path":["name"]'],
  ['a form of 100,000 fields', form('a=1&'.repeat(100_000)), 413, 'the form has more than 1000 fields'],
  ['the same, where a schema waits', form('a=1&'.repeat(100_000), '/checked'), 413, 'more than 1000 fields'],
  ['multipart of 100,000 parts', multipart(100_000, '/form'), 413, 'the body is larger than 1048576 bytes'],
  ['the same, where it may be large', multipart(100_000, '/large-form'), 413, 'more than 1000 fields'],
  ['the same, part by part', multipart(100_000, '/parts'), 413, 'the form has more than 1000 fields'],
  ['100,000 files', multipart(100_000, '/large-form', file), 413, 'the form has more than 100 files'],
  ['the same, part by part', multipart(100_000, '/parts', file), 413, 'the form has more than 100 files'],
  [
    'multipart without a boundary',
    json('x', 'multipart/form-data', '/form'),
    400,
    'not a valid multipart form',
  ],
  [
    'multipart that breaks off',
    json('--b\r\nx', 'multipart/form-data; boundary=b', '/form'),
    400,
    'not a valid',
  ],
]

const good = json('{"a":1}')
const answered = '{"got":{"a":1},"polluted":false}'

const bytesOf = ({ path, type, body }: Sent, inChunks: boolean): string => {
  const fields = [`Content-Type: ${type}`]
  if (!inChunks) return postLatin1(path, body, fields)
  const pieces = body.match(/.{1,50000}/gs) ?? []
  const [line, ...rest] = chunked(path, pieces).split('\r\n')
  return [line, ...fields, ...rest].join('\r\n')
}

// Each character is a byte here, also where that is no UTF-8.
const postLatin1 = (path: string, body: string, fields: readonly string[]): string =>
  post(path, 'x'.repeat(body.length), ...fields).slice(0, -body.length || undefined) + body

describe.each([
  ['with its length', false],
  ['in chunks', true],
])('a bad body %s', (_how, inChunks) => {
  test('gets its status and a sentence, and the connection goes on or closes cleanly', async () => {
    const { port } = new URL(url)
    for (const [what, sent, status, text] of refused) {
      await using client = await RawClient.connect(Number(port))
      client.send(bytesOf(sent, inChunks))
      const answer = await client.response()
      expect([what, answer.status]).toEqual([what, status])
      expect(answer.body.toString(), what).toContain(text)
      if (answer.field('connection') === 'close') {
        client.end()
        expect([what, await client.closed, client.received]).toEqual([what, 'end', ''])
        continue
      }
      client.send(bytesOf(good, inChunks))
      expect([what, (await client.response()).body.toString()]).toEqual([what, answered])
    }
    // All of it is the clients' doing: the operator hears nothing, and nothing is left behind.
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.finished
    expect([code, stderr.split('\n').filter(line => line.includes('error'))]).toEqual([0, []])
  })
})

test('curl shows the sentence', async () => {
  const curl = needTool('curl', 'curl')
  for (const [what, { path, type, body }, status, text] of refused) {
    const data = await tempFile('body', Buffer.from(body, 'latin1'))
    const fields = ['-H', `Content-Type: ${type}`, '--data-binary', `@${data}`]
    const args = ['-sS', '--max-time', '20', '-w', ' %{http_code}', ...fields, `${url}${path}`]
    const { stdout } = await promisify(execFile)(curl, args)
    expect([what, stdout.slice(-4)]).toEqual([what, ` ${status}`])
    expect(stdout, what).toContain(text)
  }
})

test('what only looks bad is taken', async () => {
  await using client = await RawClient.connect(Number(new URL(url).port))
  const wide = `["\\u0041"${',0'.repeat(400_000)}]`
  const taken: readonly (readonly [Sent, string])[] = [
    [json(nested(128)), nested(128)],
    [json('{"constructor":{"prototype":{"x":1}},"__proto":1}'), '"polluted":false'],
    [json('"__proto__"', 'Application/JSON; Charset="UTF-8"'), '"__proto__"'],
    [json('{}', 'application/problem+json'), '{"got":{}'],
    [json(wide), ',0,0,0]'],
    [form('a=1&'.repeat(999)), '{"fields":999}'],
    [multipart(1_000, '/form'), '{"fields":1000}'],
    [multipart(100, '/parts', file), '{"bytes":100}'],
  ]
  for (const [sent, text] of taken) {
    client.send(bytesOf(sent, false))
    const { status, body } = await client.response()
    expect([sent.body.slice(0, 50), status]).toEqual([sent.body.slice(0, 50), 200])
    expect(body.toString()).toContain(text)
  }
})
