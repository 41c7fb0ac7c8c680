import { type HttpRequest, type PluginSite, slot } from 'rawhttp'
import { refresher } from './background.ts'
import type { CacheSettings } from './schema.ts'
import { Store } from './store.ts'
import type { Visit } from './visit.ts'

/** The store of a site as one generation has it, and how that asks for it. The store is kept over reloads. */
export class KeptStore {
  readonly obeysClients: boolean
  /** Has a stored answer made anew behind the back of a client that got it. */
  readonly refresh: (request: HttpRequest, visit: Visit) => void
  readonly #kept: () => Store
  #mine: Store | null = null
  #era = 0

  constructor(site: PluginSite, settings: CacheSettings) {
    this.obeysClients = settings.obeyClients
    this.refresh = refresher(site, this)
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

/** Of a site. By it all sites are tapped with the same functions. */
export const Kept = slot<KeptStore>('cache.kept')
