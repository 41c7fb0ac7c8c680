import { writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCertificate } from '../support/certificate.ts'
import { rows } from './all-rows.ts'
import { obstacle } from './measure.ts'
import { drawRows, type Method, publish, published, writeRows } from './published.ts'
import { report } from './report.ts'
import type { RowResult } from './result.ts'
import type { Row, Settings } from './rows.ts'
import { tempFolder } from './temp-folder.ts'
import { buildReference, buildTree } from './tree.ts'

const ids = rows.map(({ id }) => id)

const usage = `npm run bench -- [--rows A,B] [--servers A,B] [--rounds N] [--requests N] [--against REF] [--json FILE] [--svg FILE]

rawhttp with the config of "npm start" and other servers, in turn: CPU time of the server's processes a request, over
rounds A B C A B C; the server on one core, the client on another. "npm run bench:peers" installs those of npm.

  --rows A,B       of ${ids.slice(0, 7).join(', ')},
                   ${ids.slice(7).join(', ')} (default: all)
  --servers A,B    parts of the names of those to measure beside rawhttp (default: all)
  --rounds N       how often each server is asked in turn (default 9)
  --requests N     of one server in one round (default 200000); some rows take parts or multiples of it
  --warm-up N      requests to each server before the first round (default 60000): as many as V8 needs
  --against REF    rawhttp as of another commit beside it
  --json FILE      writes every round there
  --svg FILE       draws the table

With no less than the default of rounds and requests, and all servers, the rows take the place of those of before in
docs/benchmark.json, and benchmark.svg is drawn anew.`

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: ids.join() },
    servers: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '200000' },
    'warm-up': { type: 'string', default: '60000' },
    against: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [rounds, requests, warmUp] = [values.rounds, values.requests, values['warm-up']].map(Number) as [
  number,
  number,
  number,
]
const chosen = values.rows.split(',')
/** With less, a difference says nothing. */
const isFull = rounds >= 9 && requests >= 200_000 && warmUp >= 60_000
const { against, servers } = values
/** Such a row stands for itself, whichever others were measured with it. */
const isComplete = isFull && against === undefined && servers === undefined

const problem = values.help ? usage : (badOptions() ?? obstacle())
if (problem !== null) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = values.help ? 0 : 2
} else await run()

function badOptions(): string | null {
  const unknown = chosen.find(id => !ids.includes(id))
  if (unknown !== undefined) return `There is no row ${unknown}.\n\n${usage}`
  const good =
    [rounds, requests, warmUp].every(Number.isInteger) && rounds >= 1 && requests >= 64 && warmUp >= 0
  return good ? null : `--rounds is a number from 1, --requests one from 64.\n\n${usage}`
}

async function run(): Promise<void> {
  using stack = new DisposableStack()
  const { path: folder } = stack.use(tempFolder('bench'))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const pair = await makeCertificate()
  writeFileSync(cert, pair.cert)
  writeFileSync(key, pair.key)
  const tree = stack.use(buildTree())
  const older = against === undefined ? null : stack.use(buildReference(against))
  const settings: Settings = {
    rounds,
    requests,
    warmUp,
    tree,
    servers: servers?.split(',') ?? null,
    cert,
    key,
    against: older === null ? null : { name: `rawhttp at ${against}`, tree: older },
  }
  const results = []
  for (const row of rows.filter(({ id }) => chosen.includes(id))) results.push(await measure(row, settings))
  process.stdout.write(`${report(results)}\n\n${method()}\n`)
  write(results)
}

function measure(row: Row, settings: Settings): Promise<RowResult> {
  process.stderr.write(`${row.title} ...\n`)
  return row.measure(settings)
}

function method(): string {
  const { model = 'unknown' } = cpus()[0] ?? {}
  const lines = [
    `Medians of ${rounds} rounds of ${requests} requests after ${warmUp} (min..max), ratios round by round. Node ${process.version}, Linux ${release()}, ${model}.`,
    'CPU time is user and system time of all processes of a server; "user over floor" is in the unit of the row.',
  ]
  if (!isFull)
    lines.push('Fewer than 9 rounds, 200000 requests or 60000 before them: no figure of this run is a claim.')
  return lines.join('\n')
}

function write(results: readonly RowResult[]): void {
  const rowsOf = published(results, methodNow())
  if (values.json !== undefined) writeRows(values.json, rowsOf)
  if (values.svg !== undefined) drawRows(values.svg, rowsOf)
  if (isComplete) publish(join(import.meta.dirname, '../../docs'), rowsOf, ids)
}

function methodNow(): Method {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    system: `${process.platform} ${release().split('-', 1)[0]}`,
    processor: cpus()[0]?.model ?? 'unknown',
    rounds,
    requests,
    warmUp,
  }
}
