import {
  expected,
  isCanonicalPath,
  isSize,
  parseScope,
  parseSize,
  type RequestGuard,
  type RequestTest,
  type Size,
} from 'rawhttp'
import * as v from 'valibot'

/** Options of the traces. */
export interface TraceOptions {
  /** The share of all requests that is traced, 0 to 1. Default: 0.01. */
  readonly sample?: number | undefined
  /** Path patterns as in `scope()`, `/api/*`: what they fit is always traced. Default: none. */
  readonly paths?: readonly string[] | undefined
  /** A request of a client on this machine is traced when it has this field. `false`: never. Default: `'x-trace'`. */
  readonly header?: string | false | undefined
  /** Who is told in Server-Timing how long each tap took. Default: `'loopback'`. */
  readonly serverTiming?: 'loopback' | 'everybody' | false | undefined
  /** Where the traces are shown, as JSON. `false`: nowhere. Default: `'/.rawhttp/trace'`. */
  readonly path?: string | false | undefined
  /** Who may read them. Default: clients on this machine. */
  readonly guard?: RequestGuard | undefined
  /** How many are kept, at most. Default: 200. */
  readonly keep?: number | undefined
  /** What they may take together, in bytes of JSON. Default: `'2mb'`. */
  readonly memory?: Size | undefined
  /** Names of fields whose values are masked beside those that carry credentials. Default: none. */
  readonly mask?: readonly string[] | undefined
}

/** What the options come to. */
export interface TraceSettings {
  readonly sample: number
  /** Null: no path is traced always. */
  readonly isChosen: RequestTest | null
  readonly header: string | false
  readonly serverTiming: 'loopback' | 'everybody' | false
  readonly path: string | false
  readonly guard: RequestGuard | null
  readonly keep: number
  /** In bytes. */
  readonly memory: number
  readonly mask: ReadonlySet<string>
}

const MAX_KEPT = 10_000

const fieldName = (what: string) =>
  v.pipe(v.string(expected(what)), v.regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/i, expected(what)), v.toLowerCase())

const pattern = v.custom<string>(isPattern, expected("a path such as '/api/*', with a * only at its end"))

const share = expected('a share from 0 to 1')
const count = expected(`a number from 1 to ${MAX_KEPT}`)

const options = v.strictObject(
  {
    sample: v.optional(v.pipe(v.number(share), v.minValue(0, share), v.maxValue(1, share)), 0.01),
    paths: v.optional(v.array(pattern, expected('a list of paths')), []),
    header: v.optional(v.union([v.literal(false), fieldName("a field name such as 'x-trace'")]), 'x-trace'),
    serverTiming: v.optional(
      v.union(
        [v.literal(false), v.picklist(['loopback', 'everybody'])],
        expected("'loopback', 'everybody' or false"),
      ),
      'loopback',
    ),
    path: v.optional(
      v.union(
        [v.literal(false), v.custom<string>(isCanonicalPath)],
        expected("a path such as '/.rawhttp/trace', or false"),
      ),
      '/.rawhttp/trace',
    ),
    guard: v.optional(v.custom<RequestGuard>(value => typeof value === 'function', expected('a function'))),
    keep: v.optional(
      v.pipe(v.number(count), v.integer(count), v.minValue(1, count), v.maxValue(MAX_KEPT, count)),
      200,
    ),
    memory: v.optional(v.custom<Size>(isSize, expected("a size such as 65536 or '2mb'")), '2mb'),
    mask: v.optional(
      v.array(fieldName("a field name such as 'x-api-key'"), expected('a list of field names')),
      [],
    ),
  },
  expected('options such as { sample: 0.1 }'),
)

export const traceOptions: v.GenericSchema<TraceOptions | undefined, TraceSettings> = v.pipe(
  // Lists are only read, and may be constants.
  v.optional(options as unknown as v.GenericSchema<TraceOptions, v.InferOutput<typeof options>>, {}),
  v.transform(({ paths, guard = null, memory, mask, ...rest }) => ({
    ...rest,
    isChosen: paths.length === 0 ? null : parseScope({ path: paths }),
    guard,
    memory: parseSize(memory),
    mask: new Set(mask),
  })),
)

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && parseScope({ path: value }) !== null
  } catch {
    return false
  }
}
