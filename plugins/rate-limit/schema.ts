import {
  AddressList,
  type Duration,
  expected,
  type HttpRequest,
  isAddress,
  parseDuration,
  problemWithAddress,
} from 'rawhttp'
import * as v from 'valibot'

/** A Redis (6 or later) or Valkey that several servers count in. */
export interface RedisOptions {
  /** `redis://[[user]:password@]host[:port][/database]`, with `rediss:` the same over TLS, or `unix:///run/redis.sock`. */
  readonly url: string
  /** What keys begin with. Default: `rawhttp:rate-limit`. */
  readonly prefix?: string | undefined
  /** How long a request waits for the store. Default: `'250ms'`. */
  readonly timeout?: Duration | undefined
  /**
   * What happens to requests while the store does not answer: they are counted in this process (`memory`), let
   * through (`allow`) or answered 503 (`refuse`). Default: `memory`.
   */
  readonly onError?: 'memory' | 'allow' | 'refuse' | undefined
}

/** Options of a limit. */
export interface RateLimitOptions {
  /** Requests of one client for each {@link window}, 1 to 1,000,000. */
  readonly limit: number
  /** Whole seconds: `'1s'`, `'15m'`. */
  readonly window: Duration
  /** Requests that may come at once when none came before. Default: {@link limit}. */
  readonly burst?: number | undefined
  /**
   * Who is counted together; null is not limited. What comes from a function is stored as a digest. Default: the
   * client's address.
   */
  readonly key?: ((request: HttpRequest) => string | null) | undefined
  /** Bits of an IPv6 address that tell clients apart, 16 to 128. Default: 64. */
  readonly ipv6Prefix?: number | undefined
  /** Addresses that are not limited: those of clients, networks, `loopback`, `private`, `unix`. */
  readonly allow?: readonly string[] | undefined
  /** The limit's name in fields and stores: letters, digits and `-._`. Default: like `100-in-60s`. */
  readonly name?: string | undefined
  /** Which answers tell about the limit: `all`, `refused` or `none`. Default: `all`. */
  readonly fields?: 'all' | 'refused' | 'none' | undefined
  /** Clients that are remembered at a time, each for about 150 bytes. Default: 100,000. */
  readonly maxClients?: number | undefined
  /** A store that several servers share, by its URL or with options. Default: the memory of this process. */
  readonly redis?: string | RedisOptions | undefined
}

/** {@link RedisOptions} with every default filled in. */
export interface RedisSettings {
  readonly url: string
  readonly prefix: string
  /** Milliseconds. */
  readonly timeout: number
  readonly onError: 'memory' | 'allow' | 'refuse'
}

/** What the options come to. */
export interface RateLimitSettings {
  readonly limit: number
  /** Seconds. */
  readonly window: number
  readonly burst: number
  /** Null for the client's address. */
  readonly key: ((request: HttpRequest) => string | null) | null
  readonly ipv6Prefix: number
  readonly isAllowed: (address: string) => boolean
  readonly name: string
  readonly fields: 'all' | 'refused' | 'none'
  readonly maxClients: number
  /** Null for memory. */
  readonly redis: RedisSettings | null
}

const count = (from: number, to: number) =>
  v.custom<number>(
    value => Number.isInteger(value) && Number(value) >= from && Number(value) <= to,
    expected(`a whole number from ${from} to ${to}`),
  )

function milliseconds(value: unknown): number | null {
  try {
    return parseDuration(value as Duration)
  } catch {
    return null
  }
}

/** A window in a thousandth of a second could not be told to a client, and to Redis it would be none at all. */
const isWindow = (value: unknown): boolean => {
  const length = milliseconds(value) ?? 0
  return length >= 1_000 && length % 1_000 === 0
}

const window = v.pipe(
  v.custom<Duration>(isWindow, expected("a duration of whole seconds such as '1m'")),
  v.transform(value => parseDuration(value) / 1_000),
)

const timeout = v.pipe(
  v.custom<Duration>(value => (milliseconds(value) ?? 0) > 0, expected("a duration such as '250ms'")),
  v.transform(parseDuration),
)

const NAME = /^[\w.-]{1,64}$/
const name = v.pipe(
  v.string(expected("a name such as 'login'")),
  v.regex(NAME, expected("1 to 64 letters, digits and -._, such as 'login'")),
)

const address = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')

// The sentences show no value: a URL may have a password in it.
const url = v.custom<string>(
  isRedisUrl,
  'is not a URL of Redis, such as redis://127.0.0.1:6379 or unix:///run/redis.sock',
)

const redisFields = v.strictObject({
  url,
  prefix: v.optional(
    v.pipe(
      v.string(expected("a text such as 'my-app'")),
      v.maxLength(100, expected('at most 100 characters')),
    ),
    'rawhttp:rate-limit',
  ),
  timeout: v.optional(timeout, 250),
  onError: v.optional(
    v.picklist(['memory', 'allow', 'refuse'], expected("'memory', 'allow' or 'refuse'")),
    'memory',
  ),
})

const redis = v.lazy(value =>
  typeof value === 'object' && value !== null
    ? redisFields
    : v.pipe(
        url,
        v.transform(url => v.parse(redisFields, { url })),
      ),
)

const options = v.strictObject(
  {
    limit: count(1, 1_000_000),
    window,
    burst: v.optional(count(1, 1_000_000)),
    key: v.optional(
      v.custom<(request: HttpRequest) => string | null>(
        value => typeof value === 'function',
        expected('a function that gives a text or null'),
      ),
    ),
    ipv6Prefix: v.optional(count(16, 128), 64),
    allow: v.optional(v.array(address, expected("a list of addresses such as ['loopback']")), []),
    name: v.optional(name),
    fields: v.optional(v.picklist(['all', 'refused', 'none'], expected("'all', 'refused' or 'none'")), 'all'),
    maxClients: v.optional(count(100, 10_000_000), 100_000),
    redis: v.optional(redis),
  },
  expected("options such as { limit: 100, window: '1m' }"),
)

/** The schema of {@link RateLimitOptions}. */
export const rateLimitOptions: v.GenericSchema<RateLimitOptions, RateLimitSettings> = v.pipe(
  options,
  v.transform(({ limit, window, burst, key, allow, name, redis, ...rest }) => {
    const addresses = new AddressList(allow)
    const isAllowed = (client: string) => addresses.has(client)
    return {
      ...rest,
      limit,
      window,
      burst: burst ?? limit,
      key: key ?? null,
      isAllowed: allow.length === 0 ? nobody : isAllowed,
      name: name ?? `${limit}-in-${window}s`,
      redis: redis ?? null,
    }
  }),
)

const nobody = (): boolean => false

function isRedisUrl(value: unknown): boolean {
  if (typeof value !== 'string') return false
  if (value.startsWith('unix:')) return /^unix:\/\/[^?#]*\/[^/?#]/.test(value)
  return /^rediss?:\/\/./.test(value) && URL.canParse(value) && /^(?:\/\d*)?$/.test(new URL(value).pathname)
}
