import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ask } from '../../../core/cli/control.ts'
import { Client, Tally } from './client.ts'
import { writeNumber, writeSite } from './site.ts'

const repository = join(import.meta.dirname, '../../..')
const flags = ['--conditions=rawhttp-source', '--expose-gc']

/** How much is asked of the server. */
export interface Load {
  readonly reloads: number
  readonly seconds: number
  readonly connections: number
  readonly downloads: number
  readonly streams: number
}

/** What the server says of itself. */
interface Stats {
  readonly number: number
  readonly started: number
  readonly stopped: number
  /** Values that `keep` has made, and disposed of. */
  readonly made: number
  readonly disposed: number
  readonly handles: Readonly<Record<string, number>>
  /** Objects in memory. */
  readonly generations: number
  readonly timers: number
  readonly heap: number
}

/** What came of it. */
export interface Figures {
  readonly tally: Tally
  readonly before: Stats
  readonly after: Stats
  /** Bytes by which the heap grew, and by which importing the same modules as often makes it grow. */
  readonly growth: number
  readonly growthByImports: number
  /** Milliseconds of each reload. */
  readonly milliseconds: readonly number[]
}

/** Reloads a server again and again while clients ask it. */
export async function reloadUnderLoad(load: Load): Promise<Figures> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'reload-')))
  mkdirSync(join(dir, 'node_modules'))
  symlinkSync(repository, join(dir, 'node_modules/rawhttp'))
  writeSite(dir, join(repository, 'core/generation.ts'))
  const socket = join(dir, 'control.sock')
  const args = [...flags, join(repository, 'core/cli.ts'), 'start', '--control', socket]
  const child = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  try {
    const url = await ready(child.stderr)
    return {
      ...(await run(url, socket, dir, load)),
      growthByImports: await growthByImports(dir, load.reloads),
    }
  } finally {
    process.off('exit', kill)
    kill()
    rmSync(dir, { recursive: true })
  }
}

/** The address of the ready line. */
async function ready(stderr: NodeJS.ReadableStream): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  stderr.setEncoding('utf8').on('data', chunk => {
    text += chunk
    const url = /^rawhttp listening on (\S+)$/m.exec(text)?.[1]
    if (url !== undefined) resolve(url)
  })
  stderr.on('end', () => reject(new Error(`the server has ended: ${text}`)))
  return await promise
}

async function run(
  url: string,
  socket: string,
  dir: string,
  load: Load,
): Promise<Omit<Figures, 'growthByImports'>> {
  // What is compiled and cached by the first load of all is no growth by reloads.
  await crowd(url, new Tally(), { ...load, seconds: 1 }, after(1_000))
  const before = await settled(url)
  const tally = new Tally()
  const milliseconds: number[] = []
  await crowd(url, tally, load, reloads(socket, dir, load, milliseconds))
  const end = await settled(url)
  return { tally, before, after: end, growth: end.heap - before.heap, milliseconds }
}

/** Clients that ask until the work is done. */
async function crowd(url: string, tally: Tally, load: Load, work: Promise<unknown>): Promise<void> {
  const end = new AbortController()
  const many = (count: number, each: (client: Client) => Promise<void>) =>
    Array.from({ length: count }, () => each(new Client(url, tally)))
  const clients = [
    ...many(load.connections, client => client.browse('/', end.signal)),
    ...many(load.downloads, client => client.browse('/download', end.signal, 25)),
    ...many(load.streams, client => client.follow('/events', end.signal)),
  ]
  try {
    await work
  } finally {
    end.abort()
    await Promise.all(clients)
  }
}

async function reloads(socket: string, dir: string, load: Load, milliseconds: number[]): Promise<void> {
  const pace = (load.seconds * 1_000) / load.reloads
  for (let number = 1; number <= load.reloads; number++) {
    const next = after(pace)
    writeNumber(dir, number)
    const startedAt = performance.now()
    const { code, text } = await ask(socket, 'reload', 60_000)
    if (code !== 0) throw new Error(text)
    milliseconds.push(performance.now() - startedAt)
    await next
  }
}

/** What the server is like when nobody is left and every generation but one has ended. */
async function settled(url: string): Promise<Stats> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const stats = (await (await fetch(`${url}/stats`)).json()) as Stats
    const { TCPSocketWrap: sockets = 0 } = stats.handles
    if ((stats.started - stats.stopped === 1 && sockets <= 1) || performance.now() > deadline) return stats
    await after(100)
  }
}

async function growthByImports(dir: string, count: number): Promise<number> {
  const script = join(import.meta.dirname, 'import-alone.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, dir, String(count)])
  return Number(stdout)
}
