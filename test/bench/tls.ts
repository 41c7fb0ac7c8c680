import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { parseArgs } from 'node:util'
import { makeCertificate } from '../support/certificate.ts'
import { load } from './load.ts'
import { cores, cpuMicroseconds, obstacle, pinned } from './measure.ts'
import { type ServerProcess, startServer } from './process.ts'
import { ratiosOf, spreadOf } from './stats.ts'
import { number, table, withSpread } from './table.ts'

const usage = `node --conditions=rawhttp-source test/bench/tls.ts [--rounds N] [--scale N]

CPU time that TLS takes, against a bare node:tls server and node:https; and how long an honest client waits behind
2,000 and 10,000 others that shake hands, or only begin to.

  --rounds N      how often each server is asked in turn (default 7)
  --scale N       divides the number of requests and handshakes (default 1)`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    scale: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
const [rounds, scale] = [Number(values.rounds), Number(values.scale)]

const kinds = ['rawhttp', 'node:tls', 'node:https'] as const
type Kind = (typeof kinds)[number]
type Costs = Readonly<Record<Kind, number[]>>

/** A share of `full`, but enough for the system's clock of CPU time, which counts hundredths of a second. */
function fewest(full: number, least: number): number {
  return Math.max(full / scale, least)
}

/** What is done once and measured, and how often in a round. */
interface Work {
  readonly name: string
  readonly count: number
  run(url: string, count: number): Promise<void>
}

const works: readonly Work[] = [
  {
    name: 'a full handshake and 1 kB',
    count: fewest(500, 100),
    run: (url, count) => shake(url, count, 'whole'),
  },
  {
    name: 'a resumed one and 1 kB',
    count: fewest(500, 100),
    run: (url, count) => shake(url, count, 'resumed'),
  },
  {
    name: '1 kB, keep-alive',
    count: fewest(40_000, 4_000),
    run: async (url, count) => void (await load(url, count, 1)),
  },
]

const problem = values.help ? usage : obstacle()
if (problem !== null) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = values.help ? 0 : 2
} else await run()

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rawhttp-bench-'))
  try {
    const { cert, key } = await makeCertificate()
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const files = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')]
    process.stdout.write(`${await compareAll(files)}\n\n${await floods(files)}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function start(kind: Kind, files: readonly string[]): Promise<ServerProcess> {
  return startServer('test/bench/servers/tls.ts', ['--kind', kind, ...files])
}

// --- cost --------------------------------------------------------------------------------------------------------

async function compareAll(files: readonly string[]): Promise<string> {
  const rows = [['CPU time, µs', ...kinds, 'x node:tls', 'x node:https']]
  for (const work of works) {
    process.stderr.write(`${work.name} ...\n`)
    const costs = await compare(work, files)
    const medians = kinds.map(kind => number(spreadOf(costs[kind]).median))
    const ratios = (['node:tls', 'node:https'] as const).map(kind =>
      withSpread(spreadOf(ratiosOf(costs.rawhttp, costs[kind]))),
    )
    rows.push([work.name, ...medians, ...ratios])
  }
  return `${table(rows)}\n\nMedians of ${rounds} rounds in which each server is asked in turn; ratios round by round (min..max).`
}

async function compare({ run: work, count }: Work, files: readonly string[]): Promise<Costs> {
  await using servers = new AsyncDisposableStack()
  const running = new Map<Kind, ServerProcess>()
  for (const kind of kinds) running.set(kind, servers.use(await start(kind, files)))
  const costs: Costs = { rawhttp: [], 'node:tls': [], 'node:https': [] }
  for (let round = -1; round < rounds; round++) {
    for (const [kind, { pid, url }] of running) {
      const before = cpuMicroseconds(pid)
      await work(url, count)
      // The first round is for the compiler.
      if (round >= 0) costs[kind].push((cpuMicroseconds(pid) - before) / count)
    }
  }
  return costs
}

async function shake(url: string, count: number, how: string, atOnce = 16): Promise<void> {
  const client = crowd(url, count, how, atOnce)
  const [code] = (await once(client, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`The client ended with ${code}.`)
}

function crowd(url: string, count: number, how: string, atOnce: number) {
  const file = join(import.meta.dirname, 'tls-client.ts')
  const args = ['--url', url, '--count', String(count), '--how', how, '--at-once', String(atOnce)]
  return spawn(...pinned(cores.client, [process.execPath, file, ...args]), {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  })
}

// --- floods ------------------------------------------------------------------------------------------------------

/** How honest clients fare while many others shake hands with the same server. */
async function floods(files: readonly string[]): Promise<string> {
  const rows = [['an honest client is answered after, ms', 'best', 'median', 'worst']]
  for (const how of ['nobody', 'stalled', 'silent', 'whole']) {
    for (const count of how === 'nobody' ? [0] : [2_000 / scale, 10_000 / scale]) {
      process.stderr.write(`${count} ${how} ...\n`)
      const { median, min, max } = spreadOf(await flood(files, count, how))
      rows.push([`behind ${count} (${how})`, ...[min, median, max].map(each => each.toFixed(0))])
    }
  }
  const note = [
    'Ten honest clients, one after the other, from the moment on when all others were there.',
    'stalled: half a hello, then nothing. silent: a whole hello, then nothing. whole: handshakes, all at once.',
  ]
  return `${table(rows)}\n\n${note.join('\n')}`
}

async function flood(files: readonly string[], count: number, how: string): Promise<number[]> {
  await using server = await start('rawhttp', files)
  await honest(server.url)
  if (count === 0) return await honestOnes(server.url)
  const others = crowd(server.url, count, how, count)
  // Handshakes that end may all have ended, and their process with them, before the honest clients are served.
  const closed = once(others, 'close')
  // Those that never end say when they have begun; the others are met in the middle.
  if (how === 'whole') await new Promise(resolve => setTimeout(resolve, 500))
  else await once(others.stdout!, 'data')
  const took = await honestOnes(server.url)
  others.kill('SIGKILL')
  await closed
  return took
}

async function honestOnes(url: string): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < 10; i++) took.push(await honest(url))
  return took
}

async function honest(url: string): Promise<number> {
  const since = performance.now()
  const { hostname, port } = new URL(url)
  const socket = connect({
    host: hostname,
    port: Number(port),
    servername: 'localhost',
    rejectUnauthorized: false,
  })
  await once(socket, 'secureConnect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
  return performance.now() - since
}
