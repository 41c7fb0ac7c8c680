import { expected, parseSize, type Size } from 'rawhttp'
import * as v from 'valibot'

/** The least that makes sense: a few entries and their overhead. */
const LEAST = 65_536

/** Options of the cache. */
export interface CacheOptions {
  /**
   * Memory of each site's store: bodies, header fields, keys, and what is being read for it. At least 64 kB.
   * Default: `'64mb'`.
   */
  readonly maxSize?: Size | undefined
  /** The largest body that is kept; never more than a quarter of `maxSize`. Default: `'4mb'`. */
  readonly maxEntrySize?: Size | undefined
  /** URLs that have something stored. Default: 10,000. */
  readonly maxEntries?: number | undefined
  /**
   * Whether `Cache-Control` of requests is obeyed: no-cache, no-store, max-age, min-fresh, max-stale. It lets every
   * client run your handlers at will, so a cache in front of them leaves it alone (RFC 9111 section 5.2.1 makes it
   * optional); only-if-cached always is. Default: false.
   */
  readonly obeyClients?: boolean | undefined
  /** Whether answers say what the cache did: `Cache-Status` (RFC 9211). Default: true. */
  readonly cacheStatus?: boolean | undefined
}

/** {@link CacheOptions} with every default filled in, sizes in bytes. */
export interface CacheSettings {
  readonly maxSize: number
  readonly maxEntrySize: number
  readonly maxEntries: number
  readonly obeyClients: boolean
  readonly cacheStatus: boolean
}

const sizeFrom = (least: number, what: string) =>
  v.pipe(
    v.custom<Size>(value => (bytesIn(value) ?? -1) >= least, expected(what)),
    v.transform(parseSize),
  )

const fields = v.strictObject(
  {
    maxSize: v.optional(sizeFrom(LEAST, "a size from '64kb' such as '64mb'"), '64mb'),
    maxEntrySize: v.optional(sizeFrom(1, "a size such as '4mb'"), '4mb'),
    maxEntries: v.optional(
      v.custom<number>(
        value => Number.isInteger(value) && Number(value) >= 1,
        expected('a whole number from 1'),
      ),
      10_000,
    ),
    obeyClients: v.optional(v.boolean(), false),
    cacheStatus: v.optional(v.boolean(), true),
  },
  expected("options such as { maxSize: '64mb' }"),
)

/** The schema of {@link CacheOptions}. */
export const cacheOptions: v.GenericSchema<CacheOptions | undefined, CacheSettings> = v.optional(fields, {})

function bytesIn(value: unknown): number | null {
  try {
    return parseSize(value as Size)
  } catch {
    return null
  }
}
