import type { SiteTap } from '../generation.ts'
import { placeText } from '../place.ts'
import { ROOT_SITE } from '../site.ts'
import { stageText } from '../stages.ts'

/** Hooks whose order is a matter of safety: there it should not hang on the order of a list. */
const CAREFUL = new Set(['connection', 'handle', 'transform'])

/**
 * A sentence for any two plugins whose taps of one hook share a stage: there the order of the config decides, and
 * whoever moves a line moves what happens. The same two on many sites are told once.
 */
export function sharedStages(taps: readonly SiteTap[]): string[] {
  const warnings = new Set<string>()
  const groups = Map.groupBy(
    taps.filter(({ hook, site }) => CAREFUL.has(hook) && site !== ROOT_SITE),
    ({ hook, site, stage }) => `${hook} ${stage} ${site}`,
  )
  for (const group of groups.values()) {
    const ofPlugins = new Map(group.map(tap => [kindOf(tap), tap]).reverse() as [string, SiteTap][])
    if (ofPlugins.size > 1) warnings.add(sentenceOf([...ofPlugins.values()].reverse()))
  }
  return [...warnings]
}

/** `static#2` is another instance, of the same plugin. */
const kindOf = ({ plugin }: SiteTap): string => plugin.replace(/#\d+$/, '')

function sentenceOf(taps: readonly SiteTap[]): string {
  const { hook, stage } = taps[0]!
  const names = taps.map(
    ({ plugin, pluginPlace }) => `${plugin}${pluginPlace === null ? '' : ` (${placeText(pluginPlace)})`}`,
  )
  return `${hook}: ${names.join(' and ')} stand at ${stageText(hook, stage)}: they run in the order of the config`
}
