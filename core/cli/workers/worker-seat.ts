import type { ResolvedListen } from '../../config/types.ts'
import type { PeerLink, Place, Seat, Version } from '../../seat.ts'
import type { Channel } from './channel.ts'

type Listener = Parameters<PeerLink['hear']>[1]
type VersionListener = Parameters<PeerLink['hearVersions']>[1]

/** The seat of a worker: what it needs of the others, it asks its primary for. */
export class WorkerSeat implements Seat {
  readonly #channel: Channel
  readonly #onListen: () => void
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #versionListeners = new Map<string, Set<VersionListener>>()
  readonly link: PeerLink = {
    isAlone: false,
    send: (topic, message) => void this.link.ask(topic, message),
    // A primary that is gone leaves nobody to hear.
    ask: (topic, message) => this.#channel.ask('peers', { topic, message }).catch(() => []),
    hear: (topic, listener) => added(this.#listeners, topic, listener),
    propose: (name, version) => this.#propose(name, version),
    hearVersions: (name, listener) => added(this.#versionListeners, name, listener),
  }

  /** @param onListen Is told when listeners begin to be opened: `node:cluster` asks the primary for them too. */
  constructor(channel: Channel, onListen: () => void) {
    this.#channel = channel
    this.#onListen = onListen
    channel.answer({
      peer: ({ topic, message }) => this.#hear(topic, message),
      version: ({ name, ...version }) => {
        for (const listener of this.#versionListeners.get(name) ?? []) listener(version)
        return null
      },
    })
  }

  readonly place = async ({ path, host, port, at }: ResolvedListen): Promise<Place> => {
    this.#onListen()
    const answer = await this.#channel.ask('place', { path, host, port, at })
    if ('port' in answer) return answer
    throw Object.assign(new Error(answer.message), { code: answer.code })
  }

  async #hear(topic: string, message: Uint8Array): Promise<Uint8Array | null> {
    const answers = [...(this.#listeners.get(topic) ?? [])].map(listener => listener(message))
    return (await Promise.all(answers)).at(-1) ?? null
  }

  /** Without a primary everybody is on their own. */
  #propose(name: string, version: Version): Promise<Version> {
    const { number, value } = version
    return this.#channel.ask('propose', { name, number, value }).catch(() => ({ number: number + 1, value }))
  }
}

function added<T>(all: Map<string, Set<T>>, key: string, listener: T): () => void {
  const listeners = all.get(key) ?? new Set()
  all.set(key, listeners.add(listener))
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && all.get(key) === listeners) all.delete(key)
  }
}
