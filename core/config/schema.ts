import * as v from 'valibot'
import type { ExchangeLimits, ListenerLimits } from '../limits.ts'
import { forwardedFields } from '../trusted-proxies.ts'
import { expectedDuration, expectedSize, readDuration, readSize } from './units.ts'

// Every message in this file is the phrase after "expected": issues.ts makes the sentence.

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function strict<const Entries extends v.ObjectEntries>(entries: Entries, message: string) {
  return v.pipe(v.custom<object>(isObject, message), v.strictObject(entries, message))
}

function unit(read: (value: unknown) => number | null, least: number, expected: string) {
  const fits = (value: unknown) => (read(value) ?? -1) >= least
  return v.optional(
    v.pipe(
      v.custom<number | string>(fits, expected),
      v.transform(value => read(value)!),
    ),
  )
}

const size = unit(readSize, 0, expectedSize)
const sizeAboveZero = unit(readSize, 1, `${expectedSize}, above 0`)
const duration = unit(readDuration, 1, `${expectedDuration}, above 0`)

function count(least: number) {
  const fits = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= least
  return v.optional(v.custom<number>(fits, `a whole number of at least ${least}`))
}

const listenerLimits = {
  headBytes: sizeAboveZero,
  headers: count(1),
  targetBytes: sizeAboveZero,
  headTimeout: duration,
  idleTimeout: duration,
  handshakeTimeout: duration,
  maxConnections: count(0),
  connectionsPerClient: count(0),
  pipelineDepth: count(1),
  writeBuffer: sizeAboveZero,
  requestsPerConnection: count(0),
} satisfies Record<keyof ListenerLimits, unknown>

const exchangeLimits = {
  bodyBytes: size,
  bodyTimeout: duration,
  bodyMinRate: count(0),
  handlerTimeout: duration,
  writeTimeout: duration,
  drainBytes: size,
} satisfies Record<keyof ExchangeLimits, unknown>

/** `limits` of a site, and of what a plugin narrows down to a route. */
export const siteLimits = strict(exchangeLimits, 'an object of site limits')

const text = (expected: string) =>
  v.custom<string>(value => typeof value === 'string' && value !== '', expected)

function listOf<const Item extends v.GenericSchema>(item: Item, expected: string, least = 0) {
  const fits = (value: unknown) => Array.isArray(value) && value.length >= least
  return v.pipe(v.custom<unknown[]>(fits, expected), v.array(item, expected))
}

const isPort = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
const isDescriptor = (value: unknown) =>
  (typeof value === 'string' && value !== '') || (Number.isInteger(value) && (value as number) >= 3)
const isMode = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0o777
const isPath = (value: unknown) =>
  (typeof value === 'string' && value !== '') || (value instanceof URL && value.protocol === 'file:')

const addresses = listOf(v.unknown(), "a list of addresses such as ['10.0.0.0/8']")

const trustedProxies = v.optional(
  v.lazy(value =>
    Array.isArray(value)
      ? addresses
      : strict(
          {
            from: addresses,
            fields: v.optional(
              listOf(
                v.picklist(forwardedFields, `one of ${forwardedFields.join(', ')}`),
                'a list of at least one field',
                1,
              ),
            ),
          },
          "addresses such as ['10.0.0.0/8'], or { from, fields }",
        ),
  ),
)

const listen = strict(
  {
    port: v.optional(v.custom<number>(isPort, 'a port from 0 to 65535')),
    host: v.optional(text("an address such as '127.0.0.1'")),
    path: v.optional(text('the path of a Unix socket')),
    mode: v.optional(v.custom<number>(isMode, 'permissions such as 0o660')),
    fd: v.optional(
      v.custom<number | string>(isDescriptor, 'the name of a passed socket, or a descriptor from 3 on'),
    ),
    tls: v.optional(v.boolean('true or false')),
    limits: v.optional(strict(listenerLimits, 'an object of listener limits')),
    trustedProxies,
  },
  "a listener such as { port: 8080 } or { path: '/run/x.sock' }",
)

const plugins = v.optional(v.custom<readonly unknown[]>(value => Array.isArray(value), 'a list of plugins'))

const site = strict(
  {
    name: text('a name'),
    hosts: v.optional(listOf(text("a host such as 'example.com'"), 'a list of at least one host', 1)),
    dir: v.optional(v.custom<string | URL>(isPath, 'a path or a file: URL')),
    plugins,
    without: v.optional(listOf(text('the name of a root plugin'), 'a list of plugin names')),
    limits: v.optional(siteLimits),
  },
  "a site such as { name: 'blog', hosts: ['blog.example.com'] }",
)

/** The shape of a whole config. Plugins are checked apart, since their options may be checked by promises. */
export const configSchema = strict(
  {
    listen: v.optional(listOf(listen, 'a list of at least one listener', 1)),
    limits: v.optional(strict({ ...listenerLimits, ...exchangeLimits }, 'an object of limits')),
    trustedProxies,
    plugins,
    reload: v.optional(strict({ oldStreams: duration }, "an object such as { oldStreams: '1h' }")),
    stop: v.optional(strict({ deadline: duration }, "an object such as { deadline: '10s' }")),
    sites: v.optional(listOf(site, "a list of at least one site (leave it out for one site 'default')", 1)),
    unknownHost: v.optional(v.picklist(['default', 'refuse'], "'default' or 'refuse'")),
  },
  'a config object',
)

const isPattern = (value: unknown) => typeof value === 'string' && value.startsWith('/')
const pattern = v.custom<string>(isPattern, "a path such as '/admin/*'")
const isMethod = (value: unknown) => typeof value === 'string' && /^[A-Z][A-Z-]*$/.test(value)

/** The first argument of `scope()`. */
export const scopeSchema = strict(
  {
    path: v.optional(
      v.union(
        [pattern, listOf(pattern, 'a list of paths', 1)],
        "a path such as '/admin/*', or a list of at least one",
      ),
    ),
    methods: v.optional(
      listOf(
        v.custom<string>(isMethod, "a method in capitals such as 'GET'"),
        'a list of at least one method',
        1,
      ),
    ),
    hosts: v.optional(listOf(text("a host such as 'example.com'"), 'a list of at least one host', 1)),
  },
  "what to narrow to, such as { path: '/admin/*' }",
)

export type WrittenConfig = v.InferOutput<typeof configSchema>
export type WrittenListen = v.InferOutput<typeof listen>
export type WrittenSite = v.InferOutput<typeof site>

const listenerNames: readonly string[] = Object.keys(listenerLimits)
const exchangeNames: readonly string[] = Object.keys(exchangeLimits)

/** Where a limit belongs that was written at the wrong level, or null. */
export function placeOfLimit(name: string): string | null {
  if (listenerNames.includes(name)) return "it belongs to 'limits' of the server or of a listener"
  return exchangeNames.includes(name) ? "it belongs to 'limits' of the server or of a site" : null
}
