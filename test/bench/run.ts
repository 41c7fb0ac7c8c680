import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Case, compare, type Rounds } from './compare.ts'
import { compareHelp, type HelpTimes } from './help.ts'
import { obstacle } from './measure.ts'
import { ratiosOf, spreadOf } from './stats.ts'
import { number, table, withSpread } from './table.ts'

const usage = `npm run bench -- [--rounds N] [--requests N] [--json FILE]

CPU time that the welcome site takes for a request, against a bare node:net server and node:http.

  --rounds N      how often each server is asked in turn (default 7)
  --requests N    requests of one server in one round, four times as many if pipelined (default 100000)
  --json FILE     writes every value there, too`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '100000' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [rounds, requests] = [Number(values.rounds), Number(values.requests)]

const problem = values.help ? usage : (badOptions() ?? obstacle())
if (problem !== null) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = values.help ? 0 : 2
} else await run()

/** The client has 64 connections, and each of them needs a request. */
function badOptions(): string | null {
  const good = Number.isInteger(rounds) && rounds >= 1 && Number.isInteger(requests) && requests >= 64
  return good ? null : `--rounds is a number from 1, --requests one from 64.\n\n${usage}`
}

async function run(): Promise<void> {
  const results: Rounds[] = []
  for (const one of cases()) {
    process.stderr.write(`${one.name} ...\n`)
    results.push(await compare(one, rounds))
  }
  const help = compareHelp(Math.max(rounds, 15))
  process.stdout.write(`${report(results)}\n\n${helpLine(help)}\n`)
  const json = {
    node: process.version,
    rounds,
    requests,
    cpuMicrosecondsPerRequest: results,
    milliseconds: help,
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(json, null, 2)}\n`)
}

function cases(): Case[] {
  const file = smallFile()
  return [
    { name: `file /${file}`, path: `/${file}`, pipelined: 1, requests },
    { name: 'route /api/hello/bench', path: '/api/hello/bench', pipelined: 1, requests },
    { name: `file /${file}, 16 pipelined`, path: `/${file}`, pipelined: 16, requests: requests * 4 },
  ]
}

/** The file of the welcome site that is nearest to 1 kB. */
function smallFile(): string {
  const folder = join(import.meta.dirname, '../../sites/welcome/public')
  const distance = (name: string): number => Math.abs(statSync(join(folder, name)).size - 1024)
  const files = readdirSync(folder).filter(name => statSync(join(folder, name)).isFile())
  return files.toSorted((a, b) => distance(a) - distance(b))[0]!
}

function report(results: readonly Rounds[]): string {
  const head = [
    'CPU time a request, µs',
    'bytes',
    'rawhttp',
    'node:net floor',
    'node:http',
    'x floor',
    'x node:http',
  ]
  const rows = results.map(({ name, bytes, rawhttp, floor, nodeHttp }) => [
    name,
    String(bytes),
    ...[rawhttp, floor, nodeHttp].map(values => number(spreadOf(values).median)),
    ...[floor, nodeHttp].map(other => withSpread(spreadOf(ratiosOf(rawhttp, other)))),
  ])
  const note = `Medians of ${rounds} rounds of ${requests} requests (four times as many if pipelined), 64 connections; ratios round by round (min..max).`
  return `${table([head, ...rows])}\n\n${note}`
}

function helpLine({ help, bare }: HelpTimes): string {
  const over = spreadOf(help.map((time, round) => time - bare[round]!))
  const [all, node] = [spreadOf(help), spreadOf(bare)].map(({ median }) => median.toFixed(1))
  return `rawhttp --help: ${all} ms, node -e '': ${node} ms, more by ${withSpread(over)} ms.`
}
