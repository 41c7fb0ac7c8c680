import { isIPv6 } from 'node:net'
import { defaultListenerLimits, type ListenerLimits } from '../limits.ts'
import { type PassedSocket, passedSockets } from '../passed-sockets.ts'
import type { TrustedProxies } from '../trusted-proxies.ts'
import { ConfigError, type ConfigProblem } from './errors.ts'
import { withoutUndefined } from './merge.ts'
import { resolvePath } from './paths.ts'
import { resolveProxies } from './proxies.ts'
import type { WrittenConfig, WrittenListen } from './schema.ts'
import { quote, show } from './show.ts'
import type { ConfigSource, ResolvedConfig, ResolvedListen } from './types.ts'

const defaultPort = 8080
const loopback = '127.0.0.1'

/**
 * The listeners of a config with defaults and overrides, each place taken once.
 *
 * @param proxies Those of the server, for listeners that name none.
 */
export function resolveListeners(
  config: WrittenConfig,
  source: ConfigSource,
  proxies: TrustedProxies | null,
): ResolvedListen[] {
  const written = config.listen ?? defaultListen()
  const listeners = written.flatMap((listen, index) => {
    const at = `listen[${index}]`
    checkCombination(listen, at, source)
    const effective = index === 0 ? override(listen, source.overrides) : listen
    const own = resolveProxies(listen.trustedProxies, `${at}.trustedProxies`, source.file)
    const trustedProxies = listen.trustedProxies === undefined ? proxies : own
    const resolved = resolveListener(effective, at, config.limits ?? {}, source)
    return descriptorsOf(effective).map(fd => ({ ...resolved, fd, trustedProxies }))
  })
  checkPlaces(listeners, source)
  return listeners
}

/** Who starts us with sockets wants them served. */
function defaultListen(): WrittenListen[] {
  const passed = passedSockets()
  return passed.length === 0 ? [{}] : passed.map(({ fd }) => ({ fd }))
}

/** One listener for each socket of the name; `check` runs without any, so that a missing one is no mistake yet. */
function descriptorsOf({ fd }: WrittenListen): (number | string | null)[] {
  if (typeof fd !== 'string') return [fd ?? null]
  const named = passedSockets().filter(({ name }) => name === fd)
  return named.length === 0 ? [fd] : named.map(socket => socket.fd)
}

/**
 * Checks that each socket that was passed has its listener: clients of one that nobody serves would wait for ever.
 *
 * @throws ConfigError that names those without.
 */
export function checkAllTaken({ listen, file }: ResolvedConfig, passed = passedSockets()): void {
  const left = passed.filter(({ fd }) => !listen.some(each => each.fd === fd))
  if (left.length === 0) return
  const names = left.map(({ fd, name }: PassedSocket) => `'${name}' (descriptor ${fd})`).join(', ')
  const expected = 'a listener for each socket that was passed to this process'
  const hint = `add { fd: '${left[0]!.name}' }, or leave 'listen', --port, --host, PORT and HOST out`
  throw new ConfigError({ file, path: 'listen', expected, received: `none for ${names}`, hint })
}

function override(listen: WrittenListen, overrides: ConfigSource['overrides'] = {}): WrittenListen {
  const { port, host } = overrides
  if (port === undefined && host === undefined) return listen
  const { path: _path, mode: _mode, fd: _fd, ...rest } = listen
  return { ...rest, ...withoutUndefined({ port, host }) }
}

function resolveListener(
  listen: WrittenListen,
  at: string,
  limits: NonNullable<WrittenConfig['limits']>,
  source: ConfigSource,
): Omit<ResolvedListen, 'fd' | 'trustedProxies'> {
  const isSocket = listen.path !== undefined || listen.fd !== undefined
  return {
    at,
    port: isSocket ? 0 : (listen.port ?? defaultPort),
    host: isSocket ? '' : bindAddress(listen.host ?? loopback, at, source),
    path: listen.path === undefined ? null : resolvePath(source.dir, listen.path),
    mode: listen.mode ?? null,
    tls: listen.tls ?? false,
    limits: listenerLimits(limits, listen.limits ?? {}),
  }
}

function listenerLimits(server: object, listener: object): ListenerLimits {
  const merged = { ...defaultListenerLimits, ...withoutUndefined(server), ...withoutUndefined(listener) }
  const names = Object.keys(defaultListenerLimits) as (keyof ListenerLimits)[]
  return Object.fromEntries(names.map(name => [name, merged[name]])) as unknown as ListenerLimits
}

/** An address as `net` wants it: IPv6 without brackets, nothing behind it. */
function bindAddress(written: string, at: string, source: ConfigSource): string {
  const host = written.replace(/^\[(.*)\]$/, '$1')
  if (isIPv6(host.replace(/%.*$/, '')) || /^[\w.-]+$/.test(host)) return host
  const hint = /:\d+$/.test(host) ? "the port goes into 'port'" : undefined
  const expected = "an address such as '127.0.0.1', '::' or 'localhost'"
  throw new ConfigError({ file: source.file, path: `${at}.host`, expected, received: quote(written), hint })
}

function checkCombination(listen: WrittenListen, at: string, { file }: ConfigSource): void {
  const refuse = (option: keyof WrittenListen, problem: ConfigProblem) => {
    throw new ConfigError({ file, path: `${at}.${option}`, received: show(listen[option]), ...problem })
  }
  if (listen.fd !== undefined) {
    const taken = (['path', 'port', 'host', 'mode'] as const).find(option => listen[option] !== undefined)
    if (taken !== undefined) refuse(taken, { expected: "no more than 'fd'", received: `'${taken}' too` })
    return
  }
  if (listen.path === undefined) {
    if (listen.mode !== undefined)
      refuse('mode', { expected: "no mode without 'path'", hint: 'it is for Unix sockets' })
    return
  }
  const expected = "either 'path' or 'port' and 'host'"
  if (listen.port !== undefined) refuse('port', { expected, received: 'both' })
  if (listen.host !== undefined) refuse('host', { expected, received: 'both' })
}

function checkPlaces(listeners: readonly ResolvedListen[], { file }: ConfigSource): void {
  const taken = new Map<string, string>()
  for (const { at, host, port, path, fd } of listeners) {
    if (fd === null && path === null && port === 0) continue
    const place = fd !== null ? `descriptor ${fd}` : (path ?? `${isIPv6(host) ? `[${host}]` : host}:${port}`)
    const first = taken.get(place)
    if (first !== undefined) {
      const expected = 'a place that no other listener has'
      throw new ConfigError({ file, path: at, expected, received: `${place}, which is ${first} already` })
    }
    taken.set(place, at)
  }
}
