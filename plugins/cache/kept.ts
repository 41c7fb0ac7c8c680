import type { PluginSite } from 'rawhttp'
import type { CacheSettings } from './schema.ts'
import { Store } from './store.ts'

/** The store of a site as one generation has it. */
export interface KeptStore {
  store(): Store
  /** Whether this generation is in charge: what a retired one answers is of an older config. */
  isCurrent(): boolean
}

/** Keeps a site's store over reloads. */
export function keptStore(site: PluginSite, settings: CacheSettings): KeptStore {
  let mine: Store | null = null
  let era = 0
  const take = (store: Store) => {
    mine = store
    era = store.era
    return store
  }
  const kept = site.keep<Store>('store', {
    create: () => take(new Store(settings)),
    adopt: (store, { isSameConfig }) => {
      store.adopt(settings, isSameConfig)
      take(store)
    },
    dispose: store => store.end(),
  })
  return { store: () => mine ?? kept(), isCurrent: () => mine !== null && mine.era === era }
}
