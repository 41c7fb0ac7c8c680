import type { HttpRequest } from './request.ts'
import { type Slot, type SlotHolder, slot } from './slots.ts'

/**
 * Taps of a plugin that has something of its own for each site, such as a table or a folder, and may stand on a site
 * several times. Its n-th instance taps every site with the same functions: the kernel keeps those once, whoever's
 * config they are of, and with a thousand sites the processor finds them in its caches. Taps that are closures of one
 * site work as well, and are other memory for each.
 *
 * @param name For people who read listings: the plugin's.
 * @param make Makes the functions; `own` is what belongs to the site that answers a request.
 * @returns Sets what an instance has on a site, and gives the functions to tap it with.
 *
 * @example
 * const tapsFor = sharedTaps<Folder, Taps>('files', own => ({
 *   find: request => own(request).answer(request.path),
 * }))
 * // In site(site, settings):
 * site.hooks.handle.tap({ name: 'files', stage: Handle.Static }, tapsFor(site, new Folder(settings)).find)
 */
export function sharedTaps<Own, Taps>(
  name: string,
  make: (own: (request: HttpRequest) => Own) => Taps,
): (site: SlotHolder, own: Own) => Taps {
  const made: { readonly place: Slot<Own | undefined>; readonly taps: Taps }[] = []
  const Count = slot(`${name}.count`, () => ({ instances: 0 }))
  return (site, own) => {
    const nth = site.get(Count).instances++
    made[nth] ??= makeFor(slot<Own>(`${name}.${nth}`), make)
    const { place, taps } = made[nth]
    site.set(place, own)
    return taps
  }
}

function makeFor<Own, Taps>(
  place: Slot<Own | undefined>,
  make: (own: (request: HttpRequest) => Own) => Taps,
): { readonly place: Slot<Own | undefined>; readonly taps: Taps } {
  return { place, taps: make(request => request.site.get(place)!) }
}
