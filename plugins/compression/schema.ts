import { expected, isSize, parseSize, type Size } from 'rawhttp'
import * as v from 'valibot'
import { type Coding, codings } from './codecs.ts'

/** A level for each coding. */
type Levels = Readonly<Record<Coding, number>>

/** Levels for some codings; the others have their default. */
export type SomeLevels = { readonly [Each in Coding]?: number | undefined }

/** Options of `compression`. */
export interface CompressionOptions {
  /** The codings to offer; of those that a client likes equally well the first wins. Default: zstd, br, gzip. */
  readonly codings?: readonly Coding[] | undefined
  /** Bodies of fewer bytes are left alone. Default: `'1kb'`. */
  readonly minSize?: Size | undefined
  /**
   * Media types to compress (`true`) or leave alone (`false`) in spite of the default: `{ 'application/x-log': true,
   * 'image/*': false }`. The narrowest entry wins; the widest is `*` + `/*`.
   */
  readonly types?: Readonly<Record<string, boolean>> | undefined
  /** Levels for what goes to one client. Ranges: gzip 1 to 9, br 0 to 6, zstd 1 to 9. Default: gzip 6, br 4, zstd 3. */
  readonly levels?: SomeLevels | undefined
  /**
   * Levels for what a cache keeps, up to 128 kB. Ranges: gzip 1 to 9, br 0 to 11, zstd 1 to 19. Default: gzip 9,
   * br 11, zstd 19.
   */
  readonly keptLevels?: SomeLevels | undefined
  /**
   * How many streams may be compressed at a time, half of them event streams; those above are sent as they are. Each
   * takes up to 1.5 MB, at higher levels up to 3.5 MB. The count is that of the process. Default: 100.
   */
  readonly maxStreams?: number | undefined
}

/** The options with their defaults. */
export interface CompressionSettings {
  readonly codings: readonly Coding[]
  /** Bytes. */
  readonly minSize: number
  /** By media type in lower case. */
  readonly types: ReadonlyMap<string, boolean>
  readonly levels: Levels
  readonly keptLevels: Levels
  readonly maxStreams: number
}

const isCodings = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  new Set(value).size === value.length &&
  value.every(each => codings.includes(each))

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const level = (least: number, most: number, usual: number) =>
  v.optional(
    v.custom<number>(
      value => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
      expected(`a level from ${least} to ${most}`),
    ),
    usual,
  )

// What runs while a client waits, with memory for each stream: levels above these cost tens of times more of both.
const levels = v.optional(
  v.strictObject(
    { gzip: level(1, 9, 6), br: level(0, 6, 4), zstd: level(1, 9, 3) },
    expected('levels such as { gzip: 6 }'),
  ),
  {},
)

const keptLevels = v.optional(
  v.strictObject(
    { gzip: level(1, 9, 9), br: level(0, 11, 11), zstd: level(1, 19, 19) },
    expected('levels such as { br: 9 }'),
  ),
  {},
)

const MEDIA_TYPE = /^(?:\*\/\*|[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+))$/
const mediaType = v.pipe(
  v.string(),
  v.regex(MEDIA_TYPE, expected("a media type such as 'text/html' or 'image/*'")),
  v.toLowerCase(),
)

const fields = v.strictObject(
  {
    codings: v.optional(
      v.custom<readonly Coding[]>(
        isCodings,
        expected("a list of 'zstd', 'br' and 'gzip', each at most once"),
      ),
      codings,
    ),
    minSize: v.optional(v.custom<Size>(isSize, expected("a size such as 1024 or '1kb'")), 1_024),
    types: v.optional(
      v.record(
        mediaType,
        v.boolean(expected('true or false')),
        expected("types such as { 'image/*': false }"),
      ),
      {},
    ),
    levels,
    keptLevels,
    maxStreams: v.optional(v.custom<number>(isCount, expected('a number of streams, 0 or more')), 100),
  },
  expected("options such as { minSize: '1kb' }"),
)

/** The options of `compression`. */
export const compressionOptions: v.GenericSchema<CompressionOptions | undefined, CompressionSettings> =
  v.pipe(
    v.optional(fields, {}),
    v.transform(({ minSize, types, ...rest }) => ({
      ...rest,
      minSize: parseSize(minSize),
      types: new Map(Object.entries(types)),
    })),
  )
