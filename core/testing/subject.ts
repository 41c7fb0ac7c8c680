import { describe } from '../errors.ts'
import { isPluginEntry, type PluginEntry } from '../plugin.ts'

/**
 * What is tried: a factory that needs no options, a plugin with its options, or a function that makes one for each
 * server. The function is the one to take where options hold something open.
 */
export type Subject = PluginEntry | (() => PluginEntry | Promise<PluginEntry>)

/** @throws TypeError for what no factory of `definePlugin` has made. */
export async function entryOf(subject: Subject): Promise<PluginEntry> {
  const entry = typeof subject === 'function' ? await subject() : subject
  if (isPluginEntry(entry)) return entry
  throw new TypeError(`the test kit takes what definePlugin has made, called or not; got ${describe(entry)}`)
}

/** The name that a plugin is defined with. */
export async function nameOf(subject: Subject): Promise<string> {
  return (await entryOf(subject)).definition.name
}
