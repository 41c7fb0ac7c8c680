import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readFlags, runBenchmark } from './command.ts'
import { cores, cpuMicroseconds, pinned } from './measure.ts'
import { type ServerProcess, startServer } from './process.ts'
import { ratiosOf, spreadOf } from './stats.ts'
import { number, table, withSpread } from './table.ts'

const usage = `node --conditions=rawhttp-source test/bench/sites.ts [--rounds N] [--requests N] [--sites N]

CPU time that a request costs with many sites, against one site, and with many routes, against ten; and what they take
at the start. Each site has the usual plugins, a folder and routes of its own, or the same paths as all others with
handlers of its own. All servers of a table are asked for as many addresses, in turn, so that they differ in nothing but
where those stand.

Rounds are short and many, so that what else the machine does meets the servers of a round alike.

  --rounds N      how often each server is asked in turn (default 101)
  --requests N    requests a round (default 10000)
  --sites N       how many sites are many (default 1000); ten times as many routes are many`

const {
  rounds,
  requests,
  sites: many,
  wantsHelp,
} = readFlags({ rounds: 101, requests: 10_000, sites: 1_000 })

/** As many requests as so many rounds have are for the compiler, and fill the caches. */
const WARM_UP = 12

interface Subject {
  readonly name: string
  readonly sites: number
  /** Of each site. */
  readonly routes: number
  /** Whether all sites have the same paths, by which a table could be shared. */
  readonly areAlike?: boolean
}

interface Work {
  readonly name: string
  readonly what: 'route' | 'file'
  /** Addresses of all sites together. */
  readonly pages: number
  /** The first one is what the others are measured by. */
  readonly subjects: readonly Subject[]
}

const works: readonly Work[] = [
  {
    name: 'a file',
    what: 'file',
    pages: many,
    subjects: [
      { name: `one site, ${many} files`, sites: 1, routes: 0 },
      { name: `${many} sites, ${many} files`, sites: many, routes: 0 },
    ],
  },
  {
    name: 'a route',
    what: 'route',
    pages: many * 10,
    subjects: [
      { name: 'one site, ten routes', sites: 1, routes: 10 },
      { name: `one site, ${many * 10} routes`, sites: 1, routes: many * 10 },
      { name: `${many} sites, ${many * 10} routes`, sites: many, routes: 10 },
      { name: `${many} sites, the same ten paths`, sites: many, routes: 10, areAlike: true },
    ],
  },
]

/** A server that runs, and what it took to get there. */
interface Started extends Subject {
  readonly server: ServerProcess
  readonly milliseconds: number
  readonly megabytes: number
}

const note = `Medians of ${rounds} rounds of ${requests} requests in which each server is asked in turn, 64 connections; ratios round by
round (min..max). Start and memory, before any request, with the making of the folders.`

await runBenchmark(usage, wantsHelp, run)

async function run(): Promise<void> {
  const tables: string[] = []
  for (const work of works) tables.push(await compare(work))
  process.stdout.write(`${tables.join('\n\n')}\n\n${note}\n`)
}

async function compare(work: Work): Promise<string> {
  process.stderr.write(`${work.name} ...\n`)
  await using servers = new AsyncDisposableStack()
  const running: Started[] = []
  for (const subject of work.subjects) {
    const started = await start(subject)
    servers.use(started.server)
    running.push(started)
  }
  const took = running.map(() => [] as number[])
  for (const started of running) await costOf(work, started, WARM_UP * requests)
  for (let round = 0; round < rounds; round++) {
    for (const [place, started] of running.entries()) {
      took[place]!.push(await costOf(work, started, requests))
    }
  }
  const rows = running.map((started, place) => [
    started.name,
    number(spreadOf(took[place]!).median),
    withSpread(spreadOf(ratiosOf(took[place]!, took[0]!))),
    started.milliseconds.toFixed(0),
    started.megabytes.toFixed(0),
  ])
  return table([[`CPU time of ${work.name}, µs`, 'rawhttp', 'x the first', 'start, ms', 'MB'], ...rows])
}

async function start(subject: Subject): Promise<Started> {
  const { sites, routes, areAlike = false } = subject
  const args = ['--sites', sites, '--routes', routes, '--files', many / sites].map(String)
  if (areAlike) args.push('--alike')
  const since = performance.now()
  const server = await startServer('test/bench/servers/sites.ts', args)
  const milliseconds = performance.now() - since
  return { ...subject, server, milliseconds, megabytes: megabytes(server.pid) }
}

async function costOf({ what, pages }: Work, started: Started, count: number): Promise<number> {
  const { server, sites, routes, areAlike = false } = started
  const { pid, url } = server
  const before = cpuMicroseconds(pid)
  const file = join(import.meta.dirname, 'sites-client.ts')
  const where = ['--sites', sites, '--routes', routes, '--pages', pages / sites, '--what', what]
  const args = [file, '--url', url, '--count', count, ...where].map(String)
  if (areAlike) args.push('--alike')
  await promisify(execFile)(...pinned(cores.client, [process.execPath, ...args]))
  return (cpuMicroseconds(pid) - before) / count
}

/** Memory that a process has, resident. */
function megabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1_024
}
