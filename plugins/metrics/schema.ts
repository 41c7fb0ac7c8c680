import {
  type Duration,
  expected,
  isAddress,
  isCanonicalPath,
  isDuration,
  parseDuration,
  problemWithAddress,
} from 'rawhttp'
import * as v from 'valibot'

/** Options of the metrics. */
export interface MetricsOptions {
  /** Where they are shown. Default: `'/metrics'`. */
  readonly path?: string | undefined
  /** Who may read them: addresses, networks, `loopback`, `private`, `unix`. Default: `['loopback', 'unix']`. */
  readonly allow?: readonly string[] | undefined
  /** The listeners that show them, by port or by path of the Unix socket. Default: all. */
  readonly listeners?: readonly (number | string)[] | undefined
  /** Whether guards such as basic-auth come first. Default: false. */
  readonly guarded?: boolean | undefined
  /** Upper bounds of the buckets for durations, ascending. Default: from 1 ms to 10 s. */
  readonly buckets?: readonly Duration[] | undefined
  /** Whether memory, CPU time, garbage collection and delays of the event loop are among them. Default: true. */
  readonly process?: boolean | undefined
}

/** What the options come to. */
export interface MetricsSettings {
  readonly path: string
  readonly allow: readonly string[]
  readonly listeners: readonly (number | string)[] | null
  readonly guarded: boolean
  /** Seconds. */
  readonly buckets: readonly number[]
  readonly process: boolean
}

const address = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')

const isPort = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535
const listener = v.custom<number | string>(
  value => isPort(value) || (typeof value === 'string' && value !== ''),
  expected('a port such as 9090, or the path of a Unix socket'),
)

const isAscending = (buckets: Duration[]) =>
  buckets.every((bound, at) => at === 0 || parseDuration(bound) > parseDuration(buckets[at - 1]!))

const BUCKETS: Duration[] = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
const MAX_BUCKETS = 50

const flag = (fallback: boolean) => v.optional(v.boolean(expected('true or false')), fallback)

const options = v.strictObject(
  {
    path: v.optional(v.custom<string>(isCanonicalPath, expected("a path such as '/metrics'")), '/metrics'),
    allow: v.optional(v.array(address, expected("a list of addresses such as ['10.0.0.0/8']")), [
      'loopback',
      'unix',
    ]),
    listeners: v.optional(
      v.pipe(
        v.array(listener, expected('a list of ports or paths')),
        v.minLength(1, 'expected at least one listener, got an empty list'),
      ),
    ),
    guarded: flag(false),
    buckets: v.optional(
      v.pipe(
        v.array(
          v.custom<Duration>(isDuration, expected("a duration such as 250 or '1s'")),
          expected('a list of durations'),
        ),
        v.check(({ length }) => length > 0 && length <= MAX_BUCKETS, `expected 1 to ${MAX_BUCKETS} bounds`),
        v.check(isAscending, 'expected bounds that grow'),
      ),
      BUCKETS,
    ),
    process: flag(true),
  },
  expected("options such as { allow: ['private'] }"),
)

export const metricsOptions: v.GenericSchema<MetricsOptions | undefined, MetricsSettings> = v.pipe(
  // Lists are only read, and may be constants.
  v.optional(options as unknown as v.GenericSchema<MetricsOptions, v.InferOutput<typeof options>>, {}),
  v.transform(({ buckets, listeners = null, ...rest }) => ({
    ...rest,
    listeners,
    buckets: buckets.map(bound => parseDuration(bound) / 1_000),
  })),
)
