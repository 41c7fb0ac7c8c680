import { toByteText } from './byte-text.ts'
import { allCodings } from './codings.ts'
import type { Place } from './find.ts'
import { compileGlob, type Test } from './glob.ts'
import { isHashedPath, type Rules } from './rules.ts'
import type { StaticSettings } from './schema.ts'

/** @param root The absolute path of the folder. */
export function placeOf(settings: StaticSettings, root: string): Place {
  const { precompressed } = settings
  return {
    root: toByteText(root),
    index: settings.index.map(toByteText),
    dotfiles: settings.dotfiles,
    follows: settings.symlinks === 'follow',
    cleanUrls: settings.cleanUrls,
    listing: settings.listing,
    precompressed: typeof precompressed === 'boolean' ? (precompressed ? allCodings : []) : precompressed,
  }
}

/** Where the page of an application comes from: it is what it is, whatever else is made of paths. */
export function fallbackPlace(place: Place): Place {
  return { ...place, dotfiles: true, cleanUrls: false, listing: false }
}

export function rulesOf({ types, headers, cacheControl, immutable }: StaticSettings): Rules {
  return {
    types: Object.entries(types).map(([key, type]) => [testOf(key), type]),
    headers: Object.entries(headers).map(([glob, fields]) => [compileGlob(glob), Object.entries(fields)]),
    cacheControl: cacheControl === false ? null : cacheControl,
    isImmutable: immutable === true ? isHashedPath : anyOf(globsOf(immutable)),
  }
}

const globsOf = (globs: false | readonly string[]): Test[] =>
  globs === false ? [] : globs.map(glob => compileGlob(glob))

/** A file's path below the root as it is asked for: the names between the slashes are escaped. */
export function requestPathOf(file: string): string {
  return `/${file.split('/').map(encodeURIComponent).join('/')}`
}

// An extension is the same in capitals, as it is for the types that are known without being told.
const testOf = (key: string): Test =>
  /^\.[\w.-]+$/.test(key) ? compileGlob(`*${key}`, 'i') : compileGlob(key)

const anyOf =
  (tests: readonly Test[]): Test =>
  path =>
    tests.some(test => test(path))
