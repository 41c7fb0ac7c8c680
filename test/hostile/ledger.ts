import type { Socket } from 'node:net'
import { Connect, definePlugin, type HttpRequest, type Outcome, type Plugins } from 'rawhttp'

/** How connections of slow clients were ended for one reason: how many, and after how many milliseconds. */
interface Closed {
  readonly count: number
  readonly soonest: number
  readonly latest: number
}

/** What a server under attack has seen, in numbers. */
export interface Seen {
  readonly opened: number
  readonly open: number
  /** Connections that were over a limit. */
  readonly turnedAway: number
  readonly closed: Readonly<Record<string, Closed>>
  /** Bytes that were read of each of the last connections. */
  readonly bytesRead: readonly number[]
  /** How often `done` ran, and by its result. */
  readonly ends: number
  readonly results: Readonly<Record<string, number>>
  /** Targets for which `done` ran more than once. */
  readonly doneTwice: readonly string[]
  /** Diagnostics of severity `error`: a client must not be able to bring one about. */
  readonly errors: readonly string[]
}

interface Life {
  readonly openedAt: number
  reason: string | null
  reasonAt: number
  /** Whether it had an answer. */
  isUsed: boolean
}

/** What a connection is said to have been closed for when it was closed without an answer. */
export const SILENT = 'closed without an answer'
/** The same, when it was closed behind one. */
export const IDLE = 'closed while idle'

/** Honest clients come from 127.0.0.1, all others are counted. A Unix socket has no address. */
const isHonest = (address: string): boolean => address === '127.0.0.1'

/** Watches a server: why and when its connections ended, and how often `done` ran. */
export class Ledger {
  readonly #lives = new Map<number, Life>()
  readonly #closed = new Map<string, number[]>()
  readonly #results: Record<string, number> = {}
  readonly #done = new Map<string, number>()
  readonly #errors: string[] = []
  readonly #waiting = new Set<() => void>()
  #opened = 0
  #turnedAway = 0
  /** Of the connections that were closed last. */
  readonly #bytesRead: number[] = []
  #ends = 0
  /** Open connections, those of honest clients too. */
  #sockets = 0

  plugin(): Plugins[number] {
    return definePlugin({
      name: 'ledger',
      server: ({ hooks }) => {
        hooks.connection.tap({ name: 'ledger', stage: Connect.Filter }, (stream, { id, client }) => {
          this.#sockets++
          stream.once('close', () => this.#gone((stream as Socket).bytesRead))
          if (isHonest(client.address)) return undefined
          this.#open(id)
          stream.once('close', () => this.#close(id))
          return undefined
        })
        hooks.report.tap('ledger', ({ code, severity, message }) => {
          if (code === 'CONNECTION_LIMIT') this.#turnAway()
          else if (severity === 'error' && code !== 'HANDLER_TIMEOUT') this.#errors.push(message)
        })
      },
      site: ({ hooks }) => {
        hooks.error.tap('ledger', (error, request) => void this.#note(request, limitOf(error)))
        hooks.done.tap('ledger', (request, _response, outcome) => this.#ended(request, outcome))
      },
    })()
  }

  /** When that many connections of slow clients were accepted. */
  untilOpened(count: number): Promise<Seen> {
    return this.#until(() => this.#opened >= count)
  }

  /** When that many connections of slow clients were accepted or turned away. */
  untilTried(count: number): Promise<Seen> {
    return this.#until(() => this.#opened + this.#turnedAway >= count)
  }

  /** When that many connections of slow clients were closed. */
  untilClosed(count: number): Promise<Seen> {
    return this.#until(() => this.#opened - this.#lives.size >= count)
  }

  /** When nobody is connected, and every exchange has ended: those that a handler still works on are counted by it. */
  untilEmpty(begun: () => number): Promise<Seen> {
    return this.#until(() => this.#sockets === 0 && this.#ends >= begun())
  }

  // Only numbers are compared: the server must not become slow because it is watched.
  async #until(is: () => boolean): Promise<Seen> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (is()) resolve()
    }
    this.#waiting.add(look)
    look()
    await promise
    this.#waiting.delete(look)
    return this.seen()
  }

  seen(): Seen {
    const closed = [...this.#closed].map(([reason, times]) => [reason, closedOf(times)] as const)
    const doneTwice = [...this.#done].filter(([, count]) => count > 1).map(([target]) => target)
    const { size: open } = this.#lives
    const [results, errors] = [this.#results, this.#errors]
    const bytesRead = this.#bytesRead.slice(-10)
    const [opened, turnedAway, ends] = [this.#opened, this.#turnedAway, this.#ends]
    const counts = { opened, open, turnedAway, ends }
    return { ...counts, closed: Object.fromEntries(closed), results, doneTwice, errors, bytesRead }
  }

  #open(id: number): void {
    this.#opened++
    this.#lives.set(id, { openedAt: performance.now(), reason: null, reasonAt: 0, isUsed: false })
    this.#tell()
  }

  #turnAway(): void {
    this.#turnedAway++
    this.#tell()
  }

  #ended(request: HttpRequest, { result, error }: Outcome): void {
    this.#ends++
    this.#results[result] = (this.#results[result] ?? 0) + 1
    // A target with a query is one of a kind: it stands for its request.
    if (request.target.includes('?'))
      this.#done.set(request.target, (this.#done.get(request.target) ?? 0) + 1)
    this.#note(request, request.refused?.id ?? limitOf(error))
    const life = this.#lives.get(request.connection?.id ?? -1)
    if (life !== undefined) life.isUsed = true
    this.#tell()
  }

  #note({ connection }: HttpRequest, reason: string | undefined): void {
    const life = this.#lives.get(connection?.id ?? -1)
    if (life === undefined || reason === undefined) return
    if (life.reason === null) life.reasonAt = performance.now()
    life.reason ??= reason
  }

  #gone(bytesRead: number): void {
    this.#sockets--
    this.#bytesRead.push(bytesRead)
    this.#tell()
  }

  #close(id: number): void {
    const { openedAt, reason, reasonAt, isUsed } = this.#lives.get(id)!
    this.#lives.delete(id)
    const why = reason ?? (isUsed ? IDLE : SILENT)
    const times = this.#closed.get(why) ?? []
    this.#closed.set(why, times)
    times.push((reason === null ? performance.now() : reasonAt) - openedAt)
    this.#tell()
  }

  #tell(): void {
    for (const look of this.#waiting) look()
  }
}

/** The limit that an error tells of: `limits.bodyTimeout`. */
function limitOf(error: (Error & { readonly code?: string | undefined }) | undefined): string | undefined {
  if (error?.code === 'HANDLER_TIMEOUT') return 'limits.handlerTimeout'
  return /limits\.\w+/.exec(error?.message ?? '')?.[0]
}

function closedOf(times: readonly number[]): Closed {
  return { count: times.length, soonest: Math.min(...times), latest: Math.max(...times) }
}
