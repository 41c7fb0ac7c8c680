import type { PluginSite } from 'rawhttp'
import type { CacheSettings } from './schema.ts'
import { Store } from './store.ts'

/** The store of a site as one generation has it. It is kept over reloads. */
export class KeptStore {
  readonly #kept: () => Store
  #mine: Store | null = null
  #era = 0

  constructor(site: PluginSite, settings: CacheSettings) {
    this.#kept = site.keep<Store>('store', {
      create: () => this.#take(new Store(settings)),
      adopt: (store, { isSameConfig }) => {
        store.adopt(settings, isSameConfig)
        this.#take(store)
      },
      dispose: store => store.end(),
    })
  }

  get store(): Store {
    return this.#mine ?? this.#kept()
  }

  /** Whether this generation is in charge: what a retired one answers is of an older config. */
  get isCurrent(): boolean {
    return this.#mine !== null && this.#mine.era === this.#era
  }

  #take(store: Store): Store {
    this.#mine = store
    this.#era = store.era
    return store
  }
}
