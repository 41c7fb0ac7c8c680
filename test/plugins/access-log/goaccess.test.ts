import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { definePlugin, Handle, HttpRequest, HttpResponse, Slots } from 'rawhttp'
import { expect, test } from 'vitest'
import { needTool } from '../../support/tools.ts'
import { type Logged, logged } from './log.ts'
import { memorySink } from './memory-sink.ts'

const COUNT = 100_000

/** What breaks logs: ends of lines and fields, escapes, other encodings, terminals' commands, other formats' signs. */
const NASTY = [
  ...['\r\n', '\n', '\0', '\t', '"', '\\', '\\"', '\\x0A', '%0d%0a', '%22', "'", '`', '[', ']', '] "GET / '],
  ...[
    '" 200 0 "-" "-"\n',
    '192.0.2.1 - - [',
    '{"a":1}',
    '$\u007bjndi:ldap://x}',
    '<script>',
    '\u001b[2J',
    '\u009b',
  ],
  ...[
    'é',
    'Ã©',
    '🐣',
    '\u2028',
    '\ufeff',
    '\xff\xfe',
    ' ',
    '  ',
    '-',
    '--',
    '?',
    '#',
    '&token=',
    '=',
    '%',
    '%zz',
  ],
  ...[
    '../',
    '//',
    ';',
    '|',
    ',',
    ':',
    '://',
    '@',
    '*',
    '~',
    'HTTP/1.1',
    'HTTP/9.9"',
    'GET',
    '(',
    ')',
    '+',
    '^',
  ],
]
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'QUERY',
  'PROPFIND',
  'get',
  'X-Y_Z',
]
const STATUSES = [
  200, 204, 206, 301, 304, 400, 401, 404, 405, 410, 416, 429, 500, 502, 503, 504, 299, 418, 599,
]

/** Numbers from 0 to below a bound that are the same for one seed (mulberry32). */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed
  return bound => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

/** Makes what clients of one seed send. */
class Clients {
  readonly #random: (bound: number) => number

  constructor(seed: number) {
    this.#random = randomNumbers(seed)
  }

  /** One byte a character, as from the wire. Mostly short; one in fifty is longer than a reader's line. */
  text(): string {
    const length = this.#random(50) === 0 ? 5_000 : this.#random(6)
    let text = ''
    while (text.length < length) text += this.#piece()
    return Buffer.from(text).toString('latin1')
  }

  #piece(): string {
    if (this.#random(2) === 0) return this.#one(NASTY)
    if (this.#random(2) === 0) return String.fromCharCode(this.#random(256))
    return Math.abs(this.#random(1e9)).toString(36)
  }

  request(): HttpRequest {
    const fields = ['host', 'localhost', 'x-status', String(this.#one(STATUSES)), 'x-user', this.text()]
    if (this.#random(4) > 0) fields.push('user-agent', this.text())
    if (this.#random(4) > 0)
      fields.push('referer', `${this.#one(['', 'http://', 'https://a.test/'])}${this.text()}`)
    const protocol = this.#one(['1.0', '1.1', '1.1', '2'])
    const target = this.#random(40) === 0 ? this.text() : `/${this.text()}`
    const client = { address: this.#address(), port: this.#random(65_536) }
    return new HttpRequest({ method: this.#one(METHODS), target, protocol, fields, client })
  }

  #address(): string {
    const group = () => this.#random(65_536).toString(16)
    const four = [1 + this.#random(223), this.#random(256), this.#random(256), this.#random(256)].join('.')
    return this.#one([four, four, `::ffff:${four}`, `2001:db8:${group()}::${group()}`, 'fe80::1%eth0'])
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#random(list.length)]!
  }
}

const answering = definePlugin({
  name: 'answering',
  site: site =>
    site.hooks.handle.tap({ name: 'answering', stage: Handle.Route }, request => {
      request.set(Slots.user, Buffer.from(request.headers.get('x-user')!, 'latin1').toString())
      return HttpResponse.empty(Number(request.headers.get('x-status')))
    }),
})

/** Messages that the parser refuses, and clients that leave, over a real socket: one line each. */
const REFUSED = [
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\x00\x01"\\\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /a"b HTTP/1.1\r\n\r\n',
  'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
  'GE"T / HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET /${'%22'.repeat(4_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: ${'"\\'.repeat(9_000)}\r\n\r\n`,
  `${'M'.repeat(5_000)} / HTTP/1.1\r\n\r\n`,
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
]

async function refuse(url: string, bytes: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'))
  socket
    .on('error', () => undefined)
    .on('close', () => resolve())
    .resume()
  await promise
}

async function fill({ server }: Logged, seed: number): Promise<void> {
  const [address] = await server.listen()
  for (const bytes of REFUSED) await refuse(address!.url, bytes)
  const clients = new Clients(seed)
  for (let i = REFUSED.length; i < COUNT; i++) {
    const sink = memorySink()
    server.dispatch(clients.request(), sink)
    sink.onClose?.(null)
    // The log is written between turns.
    if (i % 500 === 0) await new Promise(setImmediate)
  }
}

test('goaccess reads 100,000 lines of hostile clients and rejects none', { timeout: 120_000 }, async () => {
  const goaccess = needTool('goaccess', 'goaccess')
  const seed = Date.now() % 2 ** 31
  const log = await logged({}, answering)
  await fill(log, seed)
  expect(await log.lines()).toHaveLength(COUNT)
  const report = join(log.file, '../report.json')
  const rejected = join(log.file, '../rejected.log')
  const flags = ['--log-format=COMBINED', '--no-global-config', '--no-progress', '-o', report]
  await promisify(execFile)(goaccess, [log.file, ...flags, `--invalid-requests=${rejected}`])
  const { general } = JSON.parse(await readFile(report, 'latin1'))
  const lines = (await readFile(rejected, 'latin1').catch(() => '')).slice(0, 2_000)
  expect({ ...general, lines }, `seed ${seed}`).toMatchObject({
    total_requests: COUNT,
    valid_requests: COUNT,
    failed_requests: 0,
    lines: '',
  })
})
