import { isBuiltin } from 'node:module'
import { firstPartyFile } from '../../config/first-party.ts'
import { quote } from '../../config/show.ts'
import { UsageError } from '../args.ts'

/** npm takes no longer name. */
const LONGEST = 214
const PREFIX = 'rawhttp-plugin-'
const PLUGIN_NAME = /^[a-z][a-z0-9-]*$/

/** Names that a package cannot have, or that would stand for itself where its modules import another one. */
const taken = new Set(['node_modules', 'favicon.ico', 'rawhttp', 'typescript', 'vitest'])

/** What cannot be a name in a module, and what the sources of the scaffold call something else. */
const reserved = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield
  contract defaults definePlugin describe expect isCanonicalPath settingsOf test testServer`.split(/\s+/),
)

/** A valid name for a package, made from that of its folder: what npm does not take becomes a dash. */
export function packageName(folderName: string): string {
  const plain = folderName.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  const name = plain
    .replaceAll(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, LONGEST - '-site'.length)
    .replace(/[^a-z0-9]+$/, '')
  if (name === '') return 'site'
  return taken.has(name) || isBuiltin(name) ? `${name}-site` : name
}

/** What a plugin is called in its places. */
export interface PluginNames {
  /** In the config's listings: `rate-meter`. */
  readonly plugin: string
  /** On npm: `rawhttp-plugin-rate-meter`. */
  readonly package: string
  /** The factory: `rateMeter`. */
  readonly factory: string
  /** The type of its options: `RateMeterOptions`. */
  readonly options: string
}

/** @throws UsageError for what cannot be a plugin's name. */
export function pluginNames(name: string): PluginNames {
  const isPrefixed = name.startsWith(PREFIX)
  if (isPrefixed || !PLUGIN_NAME.test(name) || name.length > LONGEST - PREFIX.length) {
    const expected = isPrefixed
      ? `the name without '${PREFIX}', which is put in front of it`
      : `at most ${LONGEST - PREFIX.length} small letters, digits and dashes that begin with a letter`
    throw new UsageError(`--plugin: expected ${expected}, got ${quote(name)}`)
  }
  if (firstPartyFile(name) !== null)
    throw new UsageError(`--plugin: rawhttp has a plugin ${quote(name)}, and a list takes each name once`)
  const pascal = name.replaceAll(/(?:^|-+)([a-z0-9]|$)/g, (_, letter: string) => letter.toUpperCase())
  const camel = pascal[0]!.toLowerCase() + pascal.slice(1)
  return {
    plugin: name,
    package: PREFIX + name,
    factory: reserved.has(camel) ? `${camel}Plugin` : camel,
    options: `${pascal}Options`,
  }
}
