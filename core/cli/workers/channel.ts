import { asError } from '../../errors.ts'
import type { Kind, Questions } from './protocol.ts'

/** One end of the line between the primary and a worker: a process, or a worker of `node:cluster`. */
export interface Port {
  send?(message: Frame, callback: (error: Error | null) => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** What goes over the line. Others may use it too: their messages have no such key. */
export interface Frame {
  readonly rawhttp: 'ask' | 'answer'
  readonly id: number
  readonly kind?: Kind
  readonly body?: unknown
  /** Why there is no answer. */
  readonly error?: string
}

type Handler<K extends Kind> = (
  body: Questions[K]['ask'],
) => Questions[K]['answer'] | Promise<Questions[K]['answer']>

type Handlers = { readonly [K in Kind]?: Handler<K> }

/** Questions and answers between the primary and a worker. */
export class Channel {
  readonly #port: Port
  readonly #onBusy: (isBusy: boolean) => void
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>()
  #handlers: Handlers
  #count = 0
  #closed: Error | null = null

  /** @param onBusy Is told when the first question begins to wait for its answer, and when none does any more. */
  constructor(port: Port, handlers: Handlers, onBusy: (isBusy: boolean) => void = () => undefined) {
    this.#port = port
    this.#handlers = handlers
    this.#onBusy = onBusy
    port.on('message', message => {
      if (isFrame(message)) void this.#take(message)
    })
  }

  /** Answers further kinds of questions. */
  answer(handlers: Handlers): void {
    this.#handlers = { ...this.#handlers, ...handlers }
  }

  /**
   * Asks the other end.
   *
   * @param limit Milliseconds to wait. Default: as long as the other end lives.
   * @throws Error when there is no answer.
   */
  async ask<K extends Kind>(
    kind: K,
    body: Questions[K]['ask'],
    limit: number | null = null,
  ): Promise<Questions[K]['answer']> {
    if (this.#closed !== null) throw this.#closed
    const id = ++this.#count
    const answer = Promise.withResolvers<unknown>()
    const late = () => answer.reject(new Error(`no answer within ${limit! / 1_000} s`))
    const timer = limit === null ? undefined : setTimeout(late, limit)
    if (this.#open.size === 0) this.#onBusy(true)
    this.#open.set(id, answer)
    try {
      this.#send({ rawhttp: 'ask', id, kind, body })
      return (await answer.promise) as Questions[K]['answer']
    } finally {
      clearTimeout(timer)
      this.#open.delete(id)
      if (this.#open.size === 0) this.#onBusy(false)
    }
  }

  /** Nobody is at the other end any more. */
  close(reason: Error): void {
    this.#closed ??= reason
    for (const { reject } of this.#open.values()) reject(reason)
  }

  #send(frame: Frame): void {
    this.#port.send?.(frame, error => {
      if (error !== null && frame.rawhttp === 'ask') this.#open.get(frame.id)?.reject(error)
    })
  }

  async #take({ rawhttp, id, kind, body, error }: Frame): Promise<void> {
    if (rawhttp === 'ask') return this.#send({ rawhttp: 'answer', id, ...(await this.#answer(kind!, body)) })
    const open = this.#open.get(id)
    if (error === undefined) open?.resolve(body)
    else open?.reject(new Error(error))
  }

  async #answer(kind: Kind, body: unknown): Promise<{ readonly body: unknown } | { readonly error: string }> {
    const handler = this.#handlers[kind] as ((body: unknown) => unknown) | undefined
    if (handler === undefined) return { error: `nobody can be asked for ${kind}` }
    try {
      return { body: await handler(body) }
    } catch (thrown) {
      return { error: asError(thrown).message }
    }
  }
}

const isFrame = (message: unknown): message is Frame =>
  typeof message === 'object' && message !== null && 'rawhttp' in message
