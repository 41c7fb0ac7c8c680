import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { table } from '../bench/table.ts'
import { writeNumber } from '../e2e/reload/site.ts'
import type { Child } from '../hostile/child.ts'
import { MB } from '../hostile/memory.ts'
import { Findings, type Report } from '../hostile/report.ts'
import { issue } from '../plugins/tls/issue.ts'
import { type ClientsCalls, startClients } from './clients.ts'
import type { Target } from './connection.ts'
import type { Probe } from './probe.ts'
import { growthByImports, SoakServer, type Way } from './server.ts'
import { breakConfig, mendConfig, writeSite } from './site.ts'
import { isOwn, judgeHandles, judgeLog, judgeMemory, openedSince } from './verdict.ts'

/** How the server reloads, and how long it lasts, in seconds. */
export interface SoakSettings {
  readonly way: Way
  readonly seconds: number
  /** Before memory is looked at for the first time. */
  readonly warmUp: number
}

/** What came of it, with its figures in a table. */
export interface SoakReport extends Report {
  readonly table: string
}

interface SoakParts {
  readonly way: Way
  readonly dir: string
  readonly server: SoakServer
  readonly target: Target
  readonly clients: Child<ClientsCalls>
}

/** Milliseconds that a reload may take by and large: somewhere within them a worker is killed. */
const RELOAD_TIME = 400

/** A run of the soak: what all steps need. */
class Soak {
  readonly parts: SoakParts
  readonly findings: Findings
  /** The last number that was written, and how many broken reloads there were. */
  number = 0
  broken = 0

  constructor(parts: SoakParts) {
    this.parts = parts
    this.findings = new Findings(`soak, reloads ${parts.way}`)
  }

  /** A good reload: what is asked from then on has its answer from the new load. */
  async reload(): Promise<void> {
    writeNumber(this.parts.dir, ++this.number)
    await this.#mustReload()
    // Old workers go on with their connections until those end.
    if (this.parts.way === 'rolling') await this.#allServe(this.number)
    await this.#floor()
  }

  /** A reload that must fail, and change nothing. */
  async reloadBroken(): Promise<void> {
    const { dir, server } = this.parts
    breakConfig(dir, this.broken++)
    const { code, text } = await server.reload()
    this.findings.must(code === 78, `a broken reload ended with ${code}: ${text}`)
    mendConfig(dir)
  }

  async kill(): Promise<void> {
    const { server } = this.parts
    await server.kill(server.victim())
    await this.#allServe()
  }

  /** The worker that comes finds a config that the others have not: all must have it in the end. */
  async killBehindChange(): Promise<void> {
    writeNumber(this.parts.dir, ++this.number)
    await this.kill()
    await this.#allServe(this.number)
    await this.#floor()
  }

  /** Neither may the reload fail for that, nor the worker that comes be left on another config. */
  async killInReload(): Promise<void> {
    const { dir, server } = this.parts
    writeNumber(dir, ++this.number)
    const victim = server.victim()
    const reloaded = this.#mustReload()
    await after(Math.random() * RELOAD_TIME)
    // A rolling one may have sent it away already.
    if (server.workers.includes(victim)) await server.kill(victim)
    await reloaded
    await this.#allServe(this.number)
    await this.#floor()
  }

  async #mustReload(): Promise<void> {
    const { code, text } = await this.parts.server.reload()
    this.findings.must(code === 0, `a good reload ended with ${code}: ${text}`)
  }

  #allServe(number = 0): Promise<void> {
    const { server, target } = this.parts
    return server.allServe(target, number)
  }

  async #floor(): Promise<void> {
    await this.parts.clients.call.floor(this.number)
  }

  /** The server at rest: nobody is connected, old generations have ended, and nothing is open that was not before. */
  async atRest(before: readonly Probe[] | null): Promise<readonly Probe[]> {
    const since = performance.now()
    for (let last: readonly Probe[] | null = before; ; ) {
      const probes = await this.parts.server.probes()
      const isAtRest =
        last !== null && probes.every((probe, at) => openedSince(last![Math.min(at, 1)]!, probe).length === 0)
      if (isAtRest || performance.now() - since > REST_LIMIT) return probes
      last = before ?? probes
      await after(500)
    }
  }
}

/** Milliseconds after which what is still open stays open. */
const REST_LIMIT = 20_000
/** Milliseconds between two steps of the schedule. */
const PACE = 1_000

/** Plays mixed load, reloads and kills, and judges what came of it. */
export async function soak({ way, seconds, warmUp }: SoakSettings): Promise<SoakReport> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'soak-')))
  try {
    const certificate = await issue()
    writeSite(dir, certificate)
    await using server = new SoakServer(dir, way)
    const target = await server.ready(certificate.cert)
    await using clients = await startClients({ ...target, answers: join(dir, 'answers') })
    return await play(new Soak({ way, dir, server, target, clients }), seconds, warmUp)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

async function play(run: Soak, seconds: number, warmUp: number): Promise<SoakReport> {
  const { findings } = run
  const { way, server, clients, dir } = run.parts
  const { call } = clients
  const steps = [
    () => run.reload(),
    () => run.killInReload(),
    () => run.reloadBroken(),
    () => run.kill(),
    () => run.killBehindChange(),
  ]
  // The warm-up may end anywhere in the list.
  let step = 0
  const playFor = async (time: number) => {
    const end = performance.now() + time * 1_000
    await call.start()
    for (; performance.now() < end; step++) {
      await steps[step % steps.length]!()
      await after(PACE)
    }
    return await call.rest()
  }
  await playFor(warmUp)
  const before = await run.atRest(null)
  const first = run.number
  const seen = await playFor(seconds)
  const end = await run.atRest(before)
  const reloads = run.number - first
  const accepted = server.accepted()
  const foreign = seen.lost.filter(lost => !isOwn(lost, server, accepted))
  for (const { kind, what } of foreign.slice(0, 10)) findings.must(false, `lost: ${kind}: ${what}`)
  for (const wrong of seen.wrong) findings.must(false, `wrong: ${wrong}`)
  judgeHandles(findings, before, end)
  // A fresh process has loaded once.
  const imports = way === 'rolling' ? 0 : await growthByImports(dir, reloads)
  judgeMemory(findings, before, end, imports)
  const code = await server.stop()
  findings.must(code === 0, `the server ended with ${code}`)
  const said = server.said.split('\n').filter(line => line !== '' && !isExpected.test(line))
  for (const line of said.slice(0, 10)) findings.must(false, `said: ${line}`)
  const log = judgeLog(dir, findings, server)
  const open = seen.begun - seen.answers - seen.left - seen.again - seen.lost.length
  findings.must(open <= 7 * seen.lost.length, `${open} requests have come to nothing`)
  const rows = [
    [findings.name, 'count'],
    ['requests begun', String(seen.begun)],
    ['answers, each of them right', `${seen.answers - seen.wrong.length}`],
    ['left by clients', String(seen.left)],
    ['sent again behind an announced end', String(seen.again)],
    ['lost with killed workers', String(seen.lost.length - foreign.length)],
    ['lost otherwise', String(foreign.length)],
    ['good reloads', String(run.number)],
    ['broken reloads', String(run.broken)],
    ['workers killed', String(server.killed.length)],
    ['log lines', String(log.lines)],
    ['lines that killed workers took along', String(log.withKilled)],
    ...memoryRows(before, end),
  ]
  return {
    name: findings.name,
    table: table(rows),
    figures: findings.figures,
    faults: findings.faults,
    excesses: findings.excesses,
  }
}

/** What a server says when all goes as this schedule has it: reloads, kills, what is wrong with a config, and `/fail`. */
const isExpected = new RegExp(
  [
    '^rawhttp listening on ',
    '^rawhttp: reloaded rawhttp.config.ts',
    '^rawhttp: reloaded by fresh workers$',
    '^rawhttp: not reloaded[,:] the config before goes on serving$',
    '^rawhttp: rawhttp.config.ts: ',
    '^rawhttp: worker [12] \\(\\d+\\) was ended by SIGKILL; another one starts in ',
    '^rawhttp: worker [12] \\(\\d+\\) has not loaded what the others have: reloading$',
    'as it should',
    '^    at ',
  ].join('|'),
)

function memoryRows(before: readonly Probe[], end: readonly Probe[]): string[][] {
  const text = (probes: readonly Probe[], of: 'heap' | 'rss') =>
    probes.map(probe => (probe[of] / MB).toFixed(1)).join(' ')
  return [
    ['heap of primary and workers after the warm-up, MB', text(before, 'heap')],
    ['the same at the end', text(end, 'heap')],
    ['RSS after the warm-up, MB', text(before, 'rss')],
    ['the same at the end', text(end, 'rss')],
  ]
}
