import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ask } from '../../core/cli/control.ts'
import type { Outcome } from '../../core/cli/reloader.ts'
import { childrenOf } from '../bench/measure.ts'
import type { Target } from './connection.ts'
import type { Probe } from './probe.ts'

const repository = join(import.meta.dirname, '../..')
const flags = ['--conditions=rawhttp-source', '--expose-gc']

/** A worker that was killed, and the time within which that happened. */
export interface Killed {
  readonly pid: number
  readonly from: number
  readonly until: number
}

/** How a server reloads. */
export type Way = 'in place' | 'rolling'

/** The command under test, with flags that a user would give it. */
export class SoakServer implements AsyncDisposable {
  readonly killed: Killed[] = []
  readonly #dir: string
  readonly #child: ChildProcess
  /** A worker that is never killed: what leaks adds up in one that lives long. */
  #veteran = 0
  #stderr = ''
  readonly #end: Promise<number | null>
  readonly #kill = () => void this.#child.kill('SIGKILL')

  constructor(dir: string, way: Way) {
    this.#dir = dir
    const probe = `--import=${join(import.meta.dirname, 'probe.ts')}`
    const options = [
      '--workers',
      '2',
      '--control',
      'control.sock',
      ...(way === 'rolling' ? ['--rolling'] : []),
    ]
    const command = [join(repository, 'core/cli.ts'), 'start', ...options]
    this.#child = spawn(process.execPath, [...flags, probe, ...command], {
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    process.once('exit', this.#kill)
    this.#end = once(this.#child, 'close').then(([code]) => code as number | null)
    this.#child.stderr!.setEncoding('utf8').on('data', text => {
      this.#stderr += text
    })
  }

  /** All that it has said. */
  get said(): string {
    return this.#stderr
  }

  get pid(): number {
    return this.#child.pid!
  }

  get workers(): readonly number[] {
    return childrenOf(this.pid)
  }

  async ready(cert: string): Promise<Target> {
    const ports = () =>
      [...this.#stderr.matchAll(/^rawhttp listening on \S+:(\d+)$/gm)].map(([, port]) => Number(port))
    while (ports().length < 2) {
      const end = await Promise.race([once(this.#child.stderr!, 'data').then(() => null), this.#end])
      if (end !== null) throw new Error(`the server has ended: ${this.#stderr}`)
    }
    const [port = 0, tlsPort = 0] = ports()
    this.#veteran = this.workers[0]!
    return { port, tlsPort, cert }
  }

  reload(): Promise<Outcome> {
    return ask(join(this.#dir, 'control.sock'), 'reload', 120_000)
  }

  /** One of the workers that may be killed. */
  victim(): number {
    const others = this.workers.filter(pid => pid !== this.#veteran)
    return others[Math.floor(Math.random() * others.length)]!
  }

  /** Kills a worker, and waits until it is gone. */
  async kill(pid: number): Promise<void> {
    const from = Date.now()
    process.kill(pid, 'SIGKILL')
    while (this.workers.includes(pid)) await after(1)
    this.killed.push({ pid, from, until: Date.now() })
  }

  /**
   * When two workers are there, and both have answered from this load or a later one.
   *
   * @throws Error when that does not come to be so: old workers have a minute.
   */
  async allServe({ port }: Target, number = 0): Promise<void> {
    const good = new Set<number>()
    const end = performance.now() + 90_000
    while (this.workers.length !== 2 || this.workers.some(pid => !good.has(pid))) {
      if (this.#child.exitCode !== null) throw new Error(`the server has ended: ${this.#stderr}`)
      if (performance.now() > end)
        throw new Error(`not all have come to serve load ${number}: ${this.#stderr}`)
      const { headers } = await fetch(`http://127.0.0.1:${port}/small.txt`, {
        headers: { connection: 'close' },
      })
      if (Number(headers.get('x-number')) >= number) good.add(Number(headers.get('x-worker')))
      await after(2)
    }
  }

  /** What the primary and the workers are like, the primary first. */
  async probes(): Promise<readonly Probe[]> {
    return await Promise.all([this.pid, ...this.workers].map(pid => probeOf(join(this.#dir, `probe.${pid}`))))
  }

  /** Which worker has accepted a client's port, and when: of all that ever lived. */
  accepted(): ReadonlyMap<number, readonly (readonly [at: number, worker: number])[]> {
    const byPort = new Map<number, (readonly [number, number])[]>()
    for (const name of readdirSync(this.#dir).filter(each => each.startsWith('accepted.'))) {
      const worker = Number(name.slice('accepted.'.length))
      for (const line of readFileSync(join(this.#dir, name), 'utf8').split('\n').slice(0, -1)) {
        const [port = 0, at = 0] = line.split(' ').map(Number)
        byPort.set(port, [...(byPort.get(port) ?? []), [at, worker]])
      }
    }
    return byPort
  }

  /** Has it end in the usual way; gives its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return await this.#end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#kill)
    this.#kill()
    await this.#end
  }
}

async function probeOf(path: string): Promise<Probe> {
  const socket = connect({ path })
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += chunk
  return JSON.parse(text) as Probe
}

/** Bytes by which the heap grows when the modules of the site are imported so many times, and nothing else happens. */
export async function growthByImports(dir: string, count: number): Promise<number> {
  const script = join(repository, 'test/e2e/reload/import-alone.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, dir, String(count)], {
    cwd: dir,
  })
  return Number(stdout)
}
