import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ConfigError, fileLabel } from './errors.ts'
import { firstPartyNames, isOwnModule } from './first-party.ts'
import { unmarked } from './module-mark.ts'
import { show } from './show.ts'
import { didYouMean } from './suggest.ts'

/** What was imported when an import failed. */
export interface ImportTarget {
  readonly file: string
  /** The config file, when it was not the config itself that was imported. */
  readonly importedBy?: string | null
  /** The option path that named the file. */
  readonly path?: string
}

interface Place {
  readonly file: string
  readonly line: number
}

/** A failed import in one sentence: which file and line, what Node said, and what to do about it. */
export async function importFailure(error: unknown, target: ImportTarget): Promise<ConfigError> {
  const place = await placeOf(error, target.file)
  const owner = target.importedBy === undefined ? target.file : target.importedBy
  const problem = `${lineOf(place, owner)}${whatHappened(error)}`
  const hint = hintFor(error)
  return new ConfigError({ file: owner, path: target.path, problem, hint }, { cause: error })
}

function lineOf(place: Place | null, owner: string | null): string {
  if (place === null) return ''
  return place.file === owner ? `line ${place.line}: ` : `${fileLabel(place.file)}, line ${place.line}: `
}

function whatHappened(error: unknown): string {
  if (!(error instanceof Error)) return `expected no throw, got ${show(error)}`
  const text = firstLine(unmarked(error.message))
  if (isSyntaxError(error) && !MISSING_EXPORT.test(text)) return `syntax error: ${text}`
  if (isSyntaxError(error)) return text
  return error.constructor === Error || codeOf(error) !== '' ? text : `${error.name}: ${text}`
}

const firstLine = (text: string) =>
  text.split('\n', 1)[0]!.replaceAll(/file:\/\/[^\s'"]+/g, url => fileURLToPath(url))
const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? '')
const isSyntaxError = (error: Error) => error instanceof SyntaxError || error.name === 'SyntaxError'

async function placeOf(error: unknown, file: string): Promise<Place | null> {
  if (!(error instanceof Error)) return null
  const stack = unmarked(error.stack ?? '')
  const place = placeIn(stack.split('\n', 1)[0]!) ?? (isSyntaxError(error) ? null : thrownAt(stack))
  return place ?? (isSyntaxError(error) ? await checkedBy(file) : null)
}

/** `file:///x/a.ts:3` or `/x/a.ts:3`, as the first line of a syntax error's stack has it. */
function placeIn(text: string): Place | null {
  const match = /^(file:\/\/\S+|\/.+|[A-Za-z]:\\.+):(\d+)$/.exec(text)
  if (!match) return null
  const written = match[1]!
  return { file: written.startsWith('file:') ? fileURLToPath(written) : written, line: Number(match[2]) }
}

/**
 * The nearest frame of a stack that is in somebody's file. Node's own frames have no `file:` URL, and rawhttp's say who
 * imported or refused, not whose mistake it is.
 */
function thrownAt(stack: string): Place | null {
  const frames = [...stack.matchAll(/^ +at .*?(file:\/\/[^\s)]+?):(\d+):\d+\)?$/gm)]
  const frame = frames.find(([, url]) => !isOwnModule(url!))
  return frame ? { file: fileURLToPath(frame[1]!), line: Number(frame[2]) } : null
}

/**
 * Where a syntax error of plain JavaScript is. Node keeps the line of an error that `import()` gave to itself and
 * prints it only when the error ends the process, which is what `node --check` does.
 */
async function checkedBy(file: string): Promise<Place | null> {
  try {
    const { execFile } = process.getBuiltinModule('node:child_process')
    await promisify(execFile)(process.execPath, ['--check', file])
    return null
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string }
    return placeIn((stderr ?? '').split('\n').find(line => placeIn(line) !== null) ?? '')
  }
}

/** Node calls it a syntax error, but the syntax is right. */
const MISSING_EXPORT = /does not provide an export named/

function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const known: Readonly<Record<string, () => string | undefined>> = {
    ERR_MODULE_NOT_FOUND: () => missingModule(unmarked(error.message)),
    ERR_PACKAGE_PATH_NOT_EXPORTED: () => missingEntry(error.message),
    ERR_UNSUPPORTED_DIR_IMPORT: () => 'Node imports files, not folders: name the file in it',
    ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: () =>
      'Node does not strip types under node_modules: the package must ship JavaScript',
    ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: () =>
      'Node only strips types: write it in syntax that can be erased (tsc: erasableSyntaxOnly)',
  }
  return known[codeOf(error)]?.()
}

function missingEntry(message: string): string | undefined {
  const [, path, own] =
    /subpath '\.\/(?:plugins\/)?([^']+)' is not defined by "exports" in (.+)$/.exec(message) ?? []
  if (path === undefined || !own!.includes('rawhttp')) return undefined
  const names = firstPartyNames()
  return didYouMean(path, names) ?? `rawhttp has the plugins ${names.join(', ')}`
}

function missingModule(message: string): string | undefined {
  const name = /^Cannot find package '([^']+)'/.exec(message)?.[1]
  if (name !== undefined) return `is it installed? npm install ${name}`
  const path = /^Cannot find module '([^']+)'/.exec(message)?.[1]
  if (path === undefined) return undefined
  const bare = path.replace(/\.[cm]?jsx?$/, '')
  const extension = ['.ts', '.mts', '.js', '.mjs'].find(candidate => existsSync(bare + candidate))
  return extension === undefined
    ? undefined
    : `Node needs the whole name: import '…${lastPart(bare)}${extension}'`
}

const lastPart = (path: string) => path.slice(path.lastIndexOf('/'))
