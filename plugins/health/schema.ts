import {
  type Duration,
  expected,
  type HealthCheck,
  isAddress,
  isCanonicalPath,
  isDuration,
  parseDuration,
  problemWithAddress,
} from 'rawhttp'
import * as v from 'valibot'

/** Options of the health endpoints. */
export interface HealthOptions {
  /** Where it shows that the process is alive; `false`: nowhere. Default: `'/livez'`. */
  readonly livez?: string | false | undefined
  /** Where it shows that requests are welcome; `false`: nowhere. Default: `'/readyz'`. */
  readonly readyz?: string | false | undefined
  /** What has to work for the server to be ready, by name. A check throws when it fails. */
  readonly checks?: Readonly<Record<string, HealthCheck['run']>> | undefined
  /** How long a check may take. Default: `'800ms'`, less than the second that Kubernetes waits. */
  readonly timeout?: Duration | undefined
  /** How long results are good: so many probes cost one run of the checks. Default: `'1s'`. */
  readonly remember?: Duration | undefined
  /** How long a server that stops says so on `readyz`, before its ports close. Default: 0. */
  readonly delay?: Duration | undefined
  /** Who may see with `?verbose` which check fails and why: addresses. Default: `['loopback', 'unix']`. */
  readonly details?: readonly string[] | undefined
}

/** What the options come to. Durations are milliseconds. */
export interface HealthSettings {
  readonly livez: string | null
  readonly readyz: string | null
  readonly checks: readonly HealthCheck[]
  readonly timeout: number
  readonly remember: number
  readonly delay: number
  readonly details: readonly string[]
}

const path = (fallback: string) =>
  v.optional(
    v.custom<string | false>(
      value => value === false || isCanonicalPath(value),
      expected(`a path such as '${fallback}', or false`),
    ),
    fallback,
  )

const duration = (fallback: Duration) =>
  v.optional(v.custom<Duration>(isDuration, expected("a duration such as 500 or '1s'")), fallback)

const address = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')

const check = v.custom<HealthCheck['run']>(
  value => typeof value === 'function',
  expected('a function that throws when something is gone'),
)
const name = v.pipe(v.string(), v.regex(/^[\w.:/@#-]+$/, expected("a name such as 'database'")))

const options = v.strictObject(
  {
    livez: path('/livez'),
    readyz: path('/readyz'),
    checks: v.optional(v.record(name, check, expected('checks by name such as { database: ping }')), {}),
    timeout: duration('800ms'),
    remember: duration('1s'),
    delay: duration(0),
    details: v.optional(v.array(address, expected("a list of addresses such as ['loopback']")), [
      'loopback',
      'unix',
    ]),
  },
  expected("options such as { delay: '5s' }"),
)

export const healthOptions: v.GenericSchema<HealthOptions | undefined, HealthSettings> = v.pipe(
  v.optional(options as v.GenericSchema<HealthOptions, v.InferOutput<typeof options>>, {}),
  v.check(
    ({ livez, readyz }) => livez === false || livez !== readyz,
    'expected two paths for livez and readyz, got one',
  ),
  v.transform(({ livez, readyz, checks, timeout, remember, delay, details }) => ({
    livez: livez === false ? null : livez,
    readyz: readyz === false ? null : readyz,
    checks: Object.entries(checks).map(([name, run]) => ({ name, run })),
    timeout: parseDuration(timeout),
    remember: parseDuration(remember),
    delay: parseDuration(delay),
    details,
  })),
)
