import { deserialize, serialize } from 'node:v8'
import { asError, type Diagnostic } from './errors.ts'
import type { PeerLink, Version } from './seat.ts'

/** Bytes of a message, and of a value that is agreed on. */
const MAX_MESSAGE = 1_048_576
/** Bytes of an answer. */
const MAX_ANSWER = 16_777_216

/** Hears a message of another worker; what it returns is the answer for who asked. */
export type PeerListener = (message: unknown) => unknown

/** A value that all workers have in common. It is in the memory of processes, and nowhere else. */
export interface Agreed<T> {
  readonly value: T
  /** Puts another value in its place, unless somebody else was faster: then theirs is everybody's. */
  replace(value: T): Promise<void>
}

/**
 * The other workers of this server (`--workers`), as one plugin sees them: it reaches itself there, by its place in the
 * config. Messages are copied as by `structuredClone`, and have at most 1 MB. Without workers nobody hears or answers.
 */
export interface Peers {
  /** Whether this process serves alone. */
  readonly isAlone: boolean
  /**
   * Hears messages of a topic, from the end of `start` to `stop`. Call it while the plugin sets up.
   *
   * @throws Error when it comes later, or the topic has a listener.
   */
  hear(topic: string, listener: PeerListener): void
  /**
   * Tells all others. That they have heard it is not said.
   *
   * @throws TypeError for a message that cannot be copied, or is too large.
   */
  send(topic: string, message: unknown): void
  /**
   * Asks all others. Who has not answered within two seconds, or fails, is left out.
   *
   * @returns Answers in no order; of at most 16 MB each.
   * @throws TypeError for a message that cannot be copied, or is too large.
   */
  ask(topic: string, message?: unknown): Promise<readonly unknown[]>
  /**
   * Finds the value that all workers have for a name, or makes it the first one's. Callable from `start` on.
   *
   * @param first Makes the value that counts if there is none yet.
   * @param changed Is told, until `stop`, when somebody has replaced the value, this process among them.
   */
  agree<T>(name: string, first: () => T, changed?: (value: T) => void): Promise<Agreed<T>>
}

/** @internal What the plugins of one generation hear of their peers, from its start to its end. */
export class GenerationPeers {
  readonly #link: PeerLink
  readonly #report: (diagnostic: Diagnostic) => void
  readonly #listeners = new Map<string, (message: Uint8Array) => Promise<Uint8Array | null>>()
  /** What ends the hearing; null before the start. */
  #ends: (() => void)[] | null = null

  constructor(link: PeerLink, report: (diagnostic: Diagnostic) => void) {
    this.#link = link
    this.#report = report
  }

  /** The generation starts. */
  open(): void {
    this.#ends = []
  }

  /** The generation has started: who asks before gets no answer from plugins that are not ready for it. */
  listen(): void {
    for (const [topic, listener] of this.#listeners) this.#ends?.push(this.#link.hear(topic, listener))
  }

  /** The generation ends, or did not come to be. */
  close(): void {
    for (const end of this.#ends?.splice(0) ?? []) end()
  }

  /** @param place Unique for the instance. */
  facesFor(plugin: string, place: string): Peers {
    const link = this.#link
    const called = (what: string, topic: string) => `plugin "${plugin}": peers.${what}("${topic}")`
    return Object.freeze({
      isAlone: link.isAlone,
      hear: (topic: string, listener: PeerListener) =>
        this.#add(`${place}/${topic}`, called('hear', topic), plugin, listener),
      send: (topic: string, message: unknown) =>
        link.send(`${place}/${topic}`, packed(message, called('send', topic), MAX_MESSAGE)),
      ask: async (topic: string, message?: unknown) => {
        const answers = await link.ask(
          `${place}/${topic}`,
          packed(message, called('ask', topic), MAX_MESSAGE),
        )
        return answers.map(unpacked)
      },
      agree: <T>(name: string, first: () => T, changed?: (value: T) => void) =>
        this.#agree(`${place}/${name}`, called('agree', name), first, changed),
    })
  }

  #add(topic: string, called: string, plugin: string, listener: PeerListener): void {
    if (this.#ends !== null) throw new Error(`${called} came too late: call it in server() or site()`)
    if (this.#listeners.has(topic)) throw new Error(`${called} was called twice`)
    this.#listeners.set(topic, async message => {
      try {
        return packed(await listener(unpacked(message)), called, MAX_ANSWER)
      } catch (thrown) {
        const cause = asError(thrown)
        const message = `${called}: ${cause.message}`
        this.#report({ code: 'PEER_FAILED', message, severity: 'error', plugin, cause })
        return null
      }
    })
  }

  async #agree<T>(
    name: string,
    called: string,
    first: () => T,
    changed: ((value: T) => void) | undefined,
  ): Promise<Agreed<T>> {
    const link = this.#link
    let latest: Version = { number: 0, value: packed(first(), called, MAX_MESSAGE) }
    let value: T
    const take = (version: Version) => {
      // Messages may cross: an older version that comes late is none.
      if (version.number <= latest.number) return
      latest = version
      value = unpacked(version.value) as T
    }
    this.#ends?.push(
      link.hearVersions(name, version => {
        const before = latest
        take(version)
        if (latest !== before) changed?.(value)
      }),
    )
    take(await link.propose(name, latest))
    return {
      get value() {
        return value
      },
      async replace(next) {
        const { number } = latest
        const version = await link.propose(name, { number, value: packed(next, called, MAX_MESSAGE) })
        if (version.number <= latest.number) return
        take(version)
        changed?.(value)
      },
    }
  }
}

function packed(message: unknown, called: string, most: number): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = serialize(message)
  } catch (cause) {
    throw new TypeError(`${called}: ${asError(cause).message}`, { cause })
  }
  if (bytes.length <= most) return bytes
  throw new TypeError(`${called}: expected at most ${most} bytes, got ${bytes.length}`)
}

const unpacked = (bytes: Uint8Array): unknown => deserialize(bytes)
