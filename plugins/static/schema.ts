import { expected, HttpResponse, isPath } from 'rawhttp'
import * as v from 'valibot'
import { allCodings, type Coding } from './codings.ts'
import { problemOf } from './glob.ts'

/** The options of `staticFiles`. */
export interface StaticOptions {
  /** The folder whose files are served: a path, or a `file:` URL. A relative one counts from the site's `dir`. */
  readonly root: string | URL
  /** What answers for a folder: the first of these names that it has. Empty: nothing. Default: `['index.html']`. */
  readonly index?: readonly string[] | undefined
  /** Whether names that begin with a dot are served. `/.well-known/` always is (RFC 8615). Default: false. */
  readonly dotfiles?: boolean | undefined
  /**
   * Where links may lead: `inside` the root's real path, or, with `follow`, wherever they want. Default: `inside`.
   */
  readonly symlinks?: 'inside' | 'follow' | undefined
  /**
   * Whether `/page` is answered by `page.html`; `/page.html` is then redirected to it, and `/index.html` to `/`.
   * Default: false.
   */
  readonly cleanUrls?: boolean | undefined
  /**
   * The page of an application that has routes of its own, by its path below the root: `index.html`. It answers for
   * pages that nobody else knows, never for missing scripts, pictures or data. Default: false.
   */
  readonly fallback?: string | false | undefined
  /** Whether a folder without index file is answered by a list of what is in it. Default: false. */
  readonly listing?: boolean | undefined
  /**
   * Whether `app.js.br`, `.zst` and `.gz` answer for `app.js` to clients that take them. `true` means
   * `['br', 'zstd', 'gzip']`; a list says which, the preferred one first. Default: false.
   */
  readonly precompressed?: boolean | readonly Coding[] | undefined
  /** The Cache-Control field of files; false: none. Default: `no-cache` (kept, but asked for each time). */
  readonly cacheControl?: string | false | undefined
  /**
   * Which files never change, so that browsers keep them for a year: true for those whose name carries a hash as
   * bundlers write it, or globs, or false for none. Default: true.
   */
  readonly immutable?: boolean | readonly string[] | undefined
  /** Media types by extension (`.md`) or glob; the last that fits counts. Default: none. */
  readonly types?: Readonly<Record<string, string>> | undefined
  /** Header fields by glob; all that fit count, of one name the last. Default: none. */
  readonly headers?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
  /** Whether the server is not ready (plugin health) while the folder cannot be read. Default: false. */
  readonly required?: boolean | undefined
}

/** The same with what was left out filled in. */
export interface StaticSettings {
  readonly root: string | URL
  readonly index: readonly string[]
  readonly dotfiles: boolean
  readonly symlinks: 'inside' | 'follow'
  readonly cleanUrls: boolean
  readonly fallback: string | false
  readonly listing: boolean
  readonly precompressed: boolean | readonly Coding[]
  readonly cacheControl: string | false
  readonly immutable: boolean | readonly string[]
  readonly types: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly required: boolean
}

const option = <T>(isRight: (value: unknown) => boolean, what: string, fallback: T) =>
  v.optional(v.custom<T>(isRight, expected(what)), () => fallback)

const flag = (fallback: boolean) => v.optional(v.boolean(expected('true or false')), fallback)

const isFileName = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value !== '.' && value !== '..' && !/[/\\\0]/.test(value)

const isListOf = (value: unknown, isRight: (each: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isRight)

const isFilePath = (value: unknown): boolean =>
  typeof value === 'string' && value.split('/').every(isFileName)

const isCoding = (value: unknown): boolean => allCodings.includes(value as Coding)

const isGlob = (value: unknown): boolean => typeof value === 'string' && problemOf(value) === null

const isField = (name: string, value: unknown): boolean => {
  try {
    new HttpResponse(200).set(name, value as string)
    return true
  } catch {
    return false
  }
}

/** RFC 9110 section 8.3.1, with parameters. */
const MEDIA_TYPE =
  /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*"))*$/

const isMediaType = (value: unknown): boolean => typeof value === 'string' && MEDIA_TYPE.test(value)

/** Fields that are made from the file itself; the media type has an option of its own. */
const DERIVED = new Set(['content-type', 'content-range', 'etag', 'last-modified', 'accept-ranges'])

const isFieldName = (value: unknown): boolean =>
  typeof value === 'string' && isField(value, '') && !DERIVED.has(value.toLowerCase())

const glob = v.custom<string>(isGlob, expected("a glob such as '*.woff2' or 'fonts/**'"))

const fields = v.record(
  v.custom<string>(isFieldName, expected('a header field that static does not make itself')),
  v.custom<string>(value => isField('x', value), expected('a field value: text of latin1 in one line')),
  expected("header fields such as { 'x-robots-tag': 'noindex' }"),
)

/** Checks the options of `staticFiles`. */
export const staticOptions: v.GenericSchema<StaticOptions, StaticSettings> = v.strictObject(
  {
    root: v.custom<string | URL>(isPath, expected("a folder such as './public', or a file: URL")),
    index: option<readonly string[]>(
      value => isListOf(value, isFileName),
      "a list of file names such as ['index.html']",
      ['index.html'],
    ),
    dotfiles: flag(false),
    symlinks: v.optional(v.picklist(['inside', 'follow'], expected("'inside' or 'follow'")), 'inside'),
    cleanUrls: flag(false),
    fallback: option<string | false>(
      value => value === false || isFilePath(value),
      "a file below the root such as 'index.html', or false",
      false,
    ),
    listing: flag(false),
    precompressed: option<boolean | readonly Coding[]>(
      value => typeof value === 'boolean' || isListOf(value, isCoding),
      "true, false or a list of 'br', 'zstd' and 'gzip'",
      false,
    ),
    cacheControl: option<string | false>(
      value => value === false || (typeof value === 'string' && value !== '' && isField('x', value)),
      "a field value such as 'max-age=600', or false",
      'no-cache',
    ),
    immutable: option<boolean | readonly string[]>(
      value => typeof value === 'boolean' || isListOf(value, isGlob),
      "true, false or a list of globs such as ['assets/**']",
      true,
    ),
    types: v.optional(
      v.record(
        glob,
        v.custom<string>(isMediaType, expected("a media type such as 'text/plain; charset=utf-8'")),
        expected("media types such as { '.md': 'text/markdown' }"),
      ),
      {},
    ),
    headers: v.optional(
      v.record(glob, fields, expected("header fields by glob such as { '*.woff2': { … } }")),
      {},
    ),
    required: flag(false),
  },
  expected("options such as { root: './public' }"),
)
