import { expected, isCanonicalPath, type RequestGuard } from 'rawhttp'
import * as v from 'valibot'

/** Options of the inspector. */
export interface InspectorOptions {
  /** Where the page is; what it needs is below. Default: `'/.rawhttp/inspector'`. */
  readonly path?: string | undefined
  /** Who may see it. Default: clients on this machine that name this machine. */
  readonly guard?: RequestGuard | undefined
  /** Requests a second that are traced while a page is open, at most; of others only the number shows. Default: 250. */
  readonly perSecond?: number | undefined
  /** Names of fields whose values are masked beside those that carry credentials. Default: none. */
  readonly mask?: readonly string[] | undefined
}

/** What the options come to. */
export interface InspectorSettings {
  readonly path: string
  readonly guard: RequestGuard | null
  readonly perSecond: number
  /** In lower case. */
  readonly mask: ReadonlySet<string>
}

const MAX_PER_SECOND = 2_000

const path = expected("a path such as '/.rawhttp/inspector', without a slash at its end")
const count = expected(`a number from 1 to ${MAX_PER_SECOND}`)
const field = expected("a field name such as 'x-api-key'")

const options = v.strictObject(
  {
    path: v.optional(
      v.pipe(
        v.custom<string>(isCanonicalPath, path),
        v.check(value => !value.endsWith('/'), path),
      ),
      '/.rawhttp/inspector',
    ),
    guard: v.optional(v.custom<RequestGuard>(value => typeof value === 'function', expected('a function'))),
    perSecond: v.optional(
      v.pipe(v.number(count), v.integer(count), v.minValue(1, count), v.maxValue(MAX_PER_SECOND, count)),
      250,
    ),
    mask: v.optional(
      v.array(
        v.pipe(v.string(field), v.regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/i, field), v.toLowerCase()),
        expected('a list of field names'),
      ),
      [],
    ),
  },
  expected('options such as { perSecond: 100 }'),
)

export const inspectorOptions: v.GenericSchema<InspectorOptions | undefined, InspectorSettings> = v.pipe(
  // Lists are only read, and may be constants.
  v.optional(options as unknown as v.GenericSchema<InspectorOptions, v.InferOutput<typeof options>>, {}),
  v.transform(({ guard = null, mask, ...rest }) => ({ ...rest, guard, mask: new Set(mask) })),
)
