import type { CacheService, PluginSite } from 'rawhttp'
import type { Store } from './store.ts'

/** The part of a store that drops what has changed. */
type Kind = 'invalidate' | 'purge' | 'purgePrefix' | 'purgeTag' | 'purgeAll'
type Purge = readonly [kind: Kind, text: string]

/** Characters of keys that go to the other workers together. */
const BATCH = 65_536

/** Drops what has changed from the store of this process, and has the other workers do the same. */
export class SharedPurges {
  readonly #store: () => Store
  readonly #send: ((purges: readonly Purge[]) => void) | null
  /** Keys that the other workers will hear of in a moment. */
  readonly #waiting = new Set<string>()
  #size = 0

  constructor({ name, server: { peers } }: PluginSite, store: () => Store) {
    this.#store = store
    // Plugins of a site and of the root are one instance on several sites.
    const topic = `purges of ${name}`
    this.#send = peers.isAlone ? null : purges => peers.send(topic, purges)
    peers.hear(topic, purges => this.#take(purges as readonly Purge[]))
  }

  /** What other plugins see of it. Answers count the URLs of this process. */
  get service(): CacheService {
    const store = this.#store
    return Object.freeze({
      purge: (url: string) => this.#purge('purge', url),
      purgePrefix: (prefix: string) => this.#purge('purgePrefix', prefix),
      purgeTag: (tag: string) => this.#purge('purgeTag', tag),
      purgeAll: () => this.#purge('purgeAll', ''),
      get stats() {
        return store().stats
      },
    })
  }

  /** Drops one key. A site may get many requests that change something: the others hear of all keys of a turn at once. */
  invalidate(key: string): void {
    this.#store().invalidate(key)
    if (this.#send === null || this.#waiting.has(key)) return
    if (this.#waiting.size === 0) setImmediate(() => this.#flush())
    this.#waiting.add(key)
    this.#size += key.length
    if (this.#size >= BATCH) this.#flush()
  }

  #purge(kind: Exclude<Kind, 'invalidate'>, text: string): number {
    const count = this.#store()[kind](text)
    this.#send?.([[kind, text]])
    return count
  }

  #flush(): void {
    if (this.#waiting.size === 0) return
    this.#send?.([...this.#waiting].map(key => ['invalidate', key]))
    this.#waiting.clear()
    this.#size = 0
  }

  #take(purges: readonly Purge[]): void {
    for (const [kind, text] of purges) this.#store()[kind](text)
  }
}
