import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ask } from './check.ts'
import { send } from './client.ts'
import type { Contestant } from './contestants/contestant.ts'
import { writeMaterial } from './material.ts'
import { obstacle } from './measure.ts'
import { ofConnections, pluginCases } from './plugin-cases.ts'
import { startProcess } from './process.ts'
import { race, type Work } from './race.ts'
import { type Entry, figuresOf } from './result.ts'
import { spreadOf } from './stats.ts'
import { number, table, withSpread } from './table.ts'
import { tempFolder } from './temp-folder.ts'

const usage = `node --conditions=rawhttp-source test/bench/plugins.ts [--plugins A,B] [--rounds N] [--requests N]

CPU time that each plugin of this repository adds to a request that a constant answers, and that hooks without taps add
nothing: the same request in turn to a server without and one with it.

  --plugins A,B    of ${Object.keys(pluginCases).slice(0, 6).join(', ')} ... (default: all)
  --rounds N       how often each server is asked in turn (default 9)
  --requests N     of one server in one round (default 200000)`

const { values } = parseArgs({
  options: {
    plugins: { type: 'string', default: Object.keys(pluginCases).join() },
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '200000' },
    help: { type: 'boolean', default: false },
  },
})
const [rounds, requests] = [Number(values.rounds), Number(values.requests)]
/** So many at a time on a connection: most of what a request costs otherwise is the system's part. */
const pipelined = 16

const chosen = values.plugins.split(',')

const problem = values.help ? usage : (badOptions() ?? obstacle())
if (problem !== null) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = values.help ? 0 : 2
} else await run(chosen)

function badOptions(): string | null {
  const unknown = chosen.find(name => !(name in pluginCases))
  if (unknown !== undefined) return `There is no case ${unknown}.\n\n${usage}`
  const least = 64 * pipelined
  const good = Number.isInteger(rounds) && rounds >= 1 && Number.isInteger(requests) && requests >= least
  return good ? null : `--rounds is a number from 1, --requests one from ${least}.\n\n${usage}`
}

async function run(names: readonly string[]): Promise<void> {
  using folder = tempFolder('bench')
  writeMaterial(folder.path)
  const contestants = [contestant(null), ...names.map(contestant)]
  const tree = { folder: folder.path, files: folder.path, env: {}, [Symbol.dispose]: () => undefined }
  const warmUp = Math.min(requests, 60_000)
  const settings = { rounds, requests, warmUp, tree, against: null, servers: null, cert: '', key: '' }
  const { entries } = await race(contestants, workOf(), settings)
  process.stdout.write(`${report(entries)}\n`)
}

function contestant(name: string | null): Contestant {
  const file = join(import.meta.dirname, 'servers/plugin.ts')
  return {
    name: name ?? 'the constant alone',
    headers: name === null ? [] : (pluginCases[name]?.headers ?? []),
    log: name === 'access-log' ? 'access.log' : undefined,
    missing: () => null,
    start: stage => {
      const options = ['--folder', stage.files, ...(name === null ? [] : ['--case', name])]
      const command = [process.execPath, '--conditions=rawhttp-source', file, ...options]
      return startProcess({ command, stdout: join(stage.folder, 'access.log') })
    },
  }
}

function workOf(): Work {
  return {
    count: requests,
    least: 64 * pipelined,
    async prepare({ url }, { name, headers }) {
      const target = `${url}/1kb.html`
      const { status } = await ask(target, { headers })
      if (status !== 200) throw new Error(`${name}: expected status 200, not ${status}.`)
      return count => send(target, { requests: count, pipelined, headers, status: 200 })
    },
  }
}

function report(entries: readonly Entry[]): string {
  const [alone] = entries
  const base = figuresOf(alone!)
  const rows = entries.map((entry, place) => {
    const added = figuresOf(entry).map((figure, round) => figure - base[round]!)
    return [
      entry.name,
      number(spreadOf(figuresOf(entry)).median),
      place === 0 ? '' : withSpread(spreadOf(added)),
      pluginCases[entry.name]?.what ?? '',
    ]
  })
  return [table([['CPU time a request, µs', 'all', 'added', 'with'], ...rows]), '', ...notes()].join('\n')
}

function notes(): string[] {
  return [
    `Medians of ${rounds} rounds of ${requests} requests, 64 connections with ${pipelined} at a time; differences round by round (min..max).`,
    `${ofConnections.join(' and ')} cost a connection, not a request.`,
  ]
}
