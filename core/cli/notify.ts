import { once } from 'node:events'
import type { ListeningAddress } from '../server.ts'
import { writeError } from '../stderr.ts'
import type { Stoppable } from './signals.ts'

type Env = Record<string, string | undefined>

/** Runs the program that sends what systemd is told; rejects when it cannot. */
export type Send = (assignments: readonly string[]) => Promise<void>

/**
 * Tells systemd how the server is (sd_notify(3)). Where nobody asked for it, by `NOTIFY_SOCKET`, it does nothing.
 *
 * Node cannot send to a Unix datagram socket, so `systemd-notify` does: the unit needs `NotifyAccess=all`.
 */
export class Notifier {
  readonly #send: Send | null
  readonly #watchdog: number
  /** One message after the other: an overtaken READY would undo a STOPPING. */
  #last: Promise<void> = Promise.resolve()
  #hasFailed = false
  /** From then on nothing else is of interest, and READY would undo it. */
  #isStopping = false
  /** Reloads that are under way or wait: systemd takes READY for the end of the latest one that it has heard of. */
  #reloads = 0
  #where: () => readonly ListeningAddress[] = () => []

  /** @param watchdog Milliseconds within which systemd wants a sign of life; 0 when it wants none. */
  constructor(send: Send | null, watchdog = 0) {
    this.#send = send
    this.#watchdog = watchdog
  }

  /**
   * The server listens. From now on a process that hangs sends no more signs of life.
   *
   * @param where Tells the addresses; asked again behind each reload.
   */
  ready(where: () => readonly ListeningAddress[]): void {
    this.#where = where
    this.#isReady()
    if (this.#watchdog === 0) return
    // Twice as often as it must be, as sd_watchdog_enabled(3) wants it.
    setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdog / 2).unref()
  }

  /** A reload is under way until the promise settles; how it ended is for the log to say. */
  async reloading<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isStopping) return await work()
    this.#reloads++
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
    try {
      return await work()
    } finally {
      this.#reloads--
      if (!this.#isStopping && this.#reloads === 0) this.#isReady()
    }
  }

  /** The server with a stop that is told before it begins. */
  stopping(server: Stoppable): Stoppable {
    return {
      stop: options => {
        this.#tell('STOPPING=1', 'STATUS=finishing what is in flight')
        this.#isStopping = true
        return server.stop(options)
      },
    }
  }

  #isReady(): void {
    const urls = this.#where().map(({ url }) => url)
    this.#tell('READY=1', `STATUS=listening on ${urls.join(', ')}`)
  }

  #tell(...assignments: readonly string[]): void {
    const send = this.#send
    if (send === null) return
    this.#last = this.#last.then(() => send(assignments)).catch(error => this.#failed(error))
  }

  #failed({ message }: Error): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    writeError(`rawhttp: systemd is not told how the server is: ${message}; without it, Type=exec fits\n`)
  }
}

/** Reads what systemd wants to be told, and takes the variables away: no child is to speak in the server's name. */
export function takeNotifier(env: Env, pid = process.pid): Notifier {
  const { NOTIFY_SOCKET, PATH } = env
  const watchdog = watchdogTime(env, pid)
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  if (!NOTIFY_SOCKET) return new Notifier(null)
  return new Notifier(assignments => systemdNotify(assignments, { PATH, NOTIFY_SOCKET }), watchdog)
}

/** Milliseconds within which systemd wants a sign of life of this process; 0 when it wants none. */
export function watchdogTime({ WATCHDOG_USEC = '', WATCHDOG_PID = '' }: Env, pid: number): number {
  if (WATCHDOG_PID !== '' && WATCHDOG_PID !== String(pid)) return 0
  return /^\d+$/.test(WATCHDOG_USEC) ? Number(WATCHDOG_USEC) / 1000 : 0
}

async function systemdNotify(assignments: readonly string[], env: Env): Promise<void> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn('systemd-notify', [...assignments], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`systemd-notify ended with ${code}`)
}
