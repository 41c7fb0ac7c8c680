import { fileURLToPath } from 'node:url'
import { getCallSites } from 'node:util'
import { fileLabel } from './config/errors.ts'
import { unmarked } from './config/module-mark.ts'
import { ownFolder } from './own-folder.ts'

/** Where something is written in the sources. */
export interface Place {
  readonly file: string
  /** Null where only the file is known. */
  readonly line: number | null
}

/** More frames than this nobody needs to find a caller. */
const FRAMES = 24

const ownPath = fileURLToPath(ownFolder)

/** Who is calling into the core, the nearest one first; Node's own frames are left out. */
function callers(): readonly Place[] {
  const places = getCallSites(FRAMES)
    .filter(({ scriptName }) => scriptName !== '' && !scriptName.startsWith('node:'))
    .map(({ scriptName, lineNumber }) => ({ file: fileOf(scriptName), line: lineNumber }))
  const first = places.findIndex(({ file }) => !file.startsWith(ownPath))
  return first === -1 ? [] : places.slice(first)
}

/** The nearest caller of the core; null when there is none. */
export const caller = (): Place | null => callers()[0] ?? null

/**
 * Who uses a thing that was made in a file: the nearest caller outside that file, so that a function around the thing
 * does not pass for its user. Packages that stand in between are no users either. Where nothing else called, it is
 * the nearest caller.
 */
export function callerOutside(file: string | null): Place | null {
  const all = callers()
  return all.find(place => place.file !== file && !isInstalled(place.file)) ?? all[0] ?? null
}

const isInstalled = (file: string): boolean => /[\\/]node_modules[\\/]/.test(file)

function fileOf(script: string): string {
  const name = unmarked(script)
  return name.startsWith('file:') ? fileURLToPath(name) : name
}

/** A place as messages name it: `plugins/auth.ts:12`. */
export function placeText({ file, line }: Place): string {
  return line === null ? fileLabel(file) : `${fileLabel(file)}:${line}`
}

/** A place behind a sentence: ` (plugins/auth.ts:12)`; empty when it is not known. */
export function inBrackets(place: Place | null): string {
  return place === null ? '' : ` (${placeText(place)})`
}
