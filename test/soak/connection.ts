import { once } from 'node:events'
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import { RawClient, type RawResponse } from '../support/raw-client.ts'
import type { Tally } from './tally.ts'

/** Where clients go. */
export interface Target {
  readonly port: number
  readonly tlsPort: number
  readonly cert: string
}

/** A request, and what makes its answer right. */
export interface Question {
  readonly method?: string
  readonly path: string
  readonly fields?: readonly string[]
  readonly body?: Uint8Array
  /** What is wrong with the answer; null when it is right. */
  check(response: RawResponse): string | null
}

/** How bytes go out and come in. */
export interface Manner {
  /** Pieces of the request, with a pause of so many milliseconds between them. */
  readonly pause?: number
  readonly pieces?: number
  /** Milliseconds of rest after each piece of the answer. */
  readonly rest?: number
  /** Milliseconds for all answers. Default: a minute. */
  readonly limit?: number
}

/** What has not come by then never comes: it is lost, and must not hold up the whole run without a verdict. */
const LIMIT = 60_000

/** One connection of a client, and what is known of the worker at its other end. */
export class SoakConnection implements AsyncDisposable {
  readonly client: RawClient
  readonly localPort: number
  readonly isSecure: boolean
  /** Before it was opened. */
  readonly since: number
  readonly #kind: string
  readonly #tally: Tally
  #worker: number | null = null
  #isOver = false

  private constructor(
    kind: string,
    tally: Tally,
    client: RawClient,
    { localPort, isSecure, since }: Pick<SoakConnection, 'localPort' | 'isSecure' | 'since'>,
  ) {
    this.#kind = kind
    this.#tally = tally
    this.client = client
    this.localPort = localPort
    this.isSecure = isSecure
    this.since = since
  }

  /** Null when it did not come to be: then it is among the lost. */
  static async open(
    kind: string,
    tally: Tally,
    target: Target,
    isSecure = false,
  ): Promise<SoakConnection | null> {
    const since = Date.now()
    let localPort: number | null = null
    try {
      const socket = await opened(isSecure ? target.tlsPort : target.port)
      localPort = socket.localPort ?? null
      using _ = limited(socket, LIMIT)
      const client = RawClient.over(isSecure ? await secured(socket, target.cert) : socket)
      return new SoakConnection(kind, tally, client, { localPort: localPort!, isSecure, since })
    } catch (error) {
      tally.lose({ kind, what: `no connection: ${(error as Error).message}`, localPort, worker: null, since })
      return null
    }
  }

  /** Whether it can have a further request. */
  get isOver(): boolean {
    return this.#isOver
  }

  async ask(question: Question, manner: Manner = {}): Promise<void> {
    await this.askAll([question], manner)
  }

  /**
   * Sends all at once, and takes the answers in their order.
   *
   * @returns Those behind the answer that ends the connection: they want another one (RFC 9112 section 9.3.2).
   */
  async askAll(
    questions: readonly Question[],
    { pause = 0, pieces = 1, rest = 0, limit = LIMIT }: Manner = {},
  ): Promise<readonly Question[]> {
    const asked = questions.map(question => ({ question, ...this.#tally.begin() }))
    const bytes = Buffer.concat(asked.map(({ question, id }) => bytesOf(question, id)))
    const end = new AbortController()
    if (rest > 0) void takeSlowly(this.client, rest, end.signal)
    using time = limited(this.client.socket, limit)
    try {
      await sendSlowly(this.client, bytes, pieces, pause)
      for (const [at, { question, id, floor }] of asked.entries()) {
        const response = await this.client.response({ toHead: question.method === 'HEAD' })
        this.#judge(question, id, floor, response)
        if (this.#isOver) return this.#again(questions.slice(at + 1))
      }
    } catch (error) {
      this.#isOver = true
      const { localPort, since } = this
      const why = time.isOver ? `no answer within ${limit / 1_000} s` : (error as Error).message
      const what = `${questions[0]!.path}: ${why.slice(0, 80)}`
      this.#tally.lose({ kind: this.#kind, what, localPort, worker: this.#worker, since })
    } finally {
      end.abort()
    }
    return []
  }

  #again(questions: readonly Question[]): readonly Question[] {
    for (const _ of questions) this.#tally.again()
    return questions
  }

  #judge({ path, check }: Question, id: string, floor: number, response: RawResponse): void {
    const worker = Number(response.field('x-worker'))
    if (response.field('connection') === 'close') this.#isOver = true
    this.#tally.answered(id, worker)
    const wrong = check(response) ?? this.#misplaced(worker, floor, Number(response.field('x-number')))
    if (wrong !== null) this.#tally.wrong(`${this.#kind}: ${path}: ${wrong}`)
    this.#worker = worker
  }

  #misplaced(worker: number, floor: number, number: number): string | null {
    if (this.#worker !== null && this.#worker !== worker) return 'two workers on one connection'
    return number >= floor ? null : `load ${number} though ${floor} was in charge`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.socket.destroy()
  }
}

export function bytesOf({ method = 'GET', path, fields = [], body }: Question, id: string): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', `User-Agent: soak/${id}`, ...fields]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body ?? Buffer.alloc(0)])
}

async function opened(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true } as TcpNetConnectOpts)
  await once(socket, 'connect')
  return socket
}

async function secured(socket: Socket, ca: string): Promise<Socket> {
  const secure = connectSecurely({ socket, ca, servername: 'localhost' })
  const closed = once(secure, 'close').then(() => Promise.reject(new Error('closed in the handshake')))
  closed.catch(() => undefined)
  await Promise.race([once(secure, 'secureConnect'), closed])
  return secure
}

/** Ends the connection when its time is over, unless it is disposed of before. */
function limited(socket: Socket, limit: number): Disposable & { readonly isOver: boolean } {
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    socket.destroy()
  }, limit)
  return {
    get isOver() {
      return isOver
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

async function sendSlowly(client: RawClient, bytes: Buffer, pieces: number, pause: number): Promise<void> {
  const size = Math.ceil(bytes.length / pieces)
  for (let at = 0; at < bytes.length; at += size) {
    if (at > 0) await after(pause)
    client.send(bytes.subarray(at, at + size))
  }
}

async function takeSlowly({ socket }: RawClient, rest: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !socket.destroyed) {
    socket.pause()
    await after(rest)
    socket.resume()
    await once(socket, 'data', { signal }).catch(() => undefined)
  }
}
