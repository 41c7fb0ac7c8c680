import Negotiator from 'negotiator'
import {
  AddressList,
  ConfigError,
  comesFrom,
  definePlugin,
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  type PluginSite,
  ROOT_SITE,
  Slots,
  slot,
} from 'rawhttp'
import type { Format } from './client.ts'
import { Meter } from './meter.ts'
import { type MetricsSettings, metricsOptions } from './schema.ts'

export type { MetricsOptions } from './schema.ts'

/** The figures of a server. */
const TheMeter = slot<Meter>('metrics.meter')

/**
 * Counts requests, connections and what other plugins offer in `Slots.metrics`, and shows it to Prometheus: at
 * `/metrics`, to this machine only unless told otherwise. Needs the package `@prometheus-io/client`.
 *
 * Belongs to the root plugins: then it counts all sites, and what no site takes.
 *
 * @example
 * listen: [{ port: 443, tls: true }, { host: '10.0.0.5', port: 9090 }],
 * plugins: [metrics({ listeners: [9090], allow: ['private'] })]
 *
 * @throws Error when the package is not installed.
 */
export const metrics = definePlugin({
  name: 'metrics',
  options: metricsOptions,
  async server(server, settings) {
    if (server.get(TheMeter) !== undefined)
      throw new ConfigError({ problem: 'is there twice: one among the root plugins counts all sites' })
    const meter = await Meter.open(server, settings)
    server.set(TheMeter, meter)
    server.hooks.start.tapPromise('metrics', () => meter.start())
  },
  site(site, settings) {
    const meter = site.server.get(TheMeter)!
    meter.add(site)
    tapDone(site, meter)
    if (site.name !== ROOT_SITE) tapHandle(site, meter, settings)
    else if (!settings.guarded) tapUnknownHosts(site, meter, settings)
  },
})

/** The only tap that every request pays for. */
function tapDone({ name, hooks }: PluginSite, { traffic }: Meter): void {
  let counts: ReturnType<ReturnType<typeof traffic>['site']> | null = null
  hooks.done.tap('metrics', (request, response, outcome) => {
    counts ??= traffic().site(name)
    counts.count(request, response, outcome)
  })
}

function tapHandle({ hooks, server }: PluginSite, meter: Meter, settings: MetricsSettings): void {
  const isFor = placeOf(settings, path => server.resolve(path))
  const allowed = new AddressList(settings.allow)
  const stage = settings.guarded ? Handle.Guard + 10 : Handle.Early - 15
  hooks.handle.tapAsync({ name: 'metrics', stage }, (request, callback) => {
    if (!isFor(request)) return callback()
    if (!isRead(request)) return callback(null, void request.allow('GET'))
    request.set(Slots.route, settings.path)
    if (!comesFrom(request, allowed)) return callback(notAllowed())
    const format = formatFor(request)
    meter.text(format).then(text => callback(null, answer(text, meter.typeOf(format))), callback)
  })
}

// Prometheus asks by address. Where all sites have names such a request belongs to none, and the kernel refuses it
// without asking `handle`. What answers then cannot wait, but its body can.
function tapUnknownHosts({ server }: PluginSite, meter: Meter, settings: MetricsSettings): void {
  const isFor = placeOf(settings, path => server.resolve(path))
  const allowed = new AddressList(settings.allow)
  server.hooks.protocolError.tap('metrics', (_error, request) => {
    if (request.refused?.id !== 'HOST-UNKNOWN' || !isRead(request) || !isFor(request)) return
    if (!comesFrom(request, allowed)) return
    request.set(Slots.route, settings.path)
    const format = formatFor(request)
    const body = (async function* () {
      yield await meter.text(format)
    })()
    return answer(body, meter.typeOf(format))
  })
}

/** Whether a request asks for the metrics, on a listener that shows them. */
function placeOf({ path, listeners }: MetricsSettings, resolve: (path: string) => string) {
  const places = listeners?.map(place => (typeof place === 'number' ? place : resolve(place)))
  return (request: HttpRequest): boolean => {
    if (request.path !== path) return false
    if (places === undefined) return true
    const { connection } = request
    if (connection === null) return false
    const { local, listener } = connection
    return places.includes(local.address === '' ? listener : local.port)
  }
}

function answer(body: string | AsyncIterable<string>, type: string): HttpResponse {
  const made = typeof body === 'string' ? HttpResponse.text(body) : HttpResponse.stream(body)
  return made.set('content-type', type).set('cache-control', 'no-store').vary('accept')
}

/** OpenMetrics for who prefers it; the older text form for everybody else. */
function formatFor({ headers }: HttpRequest): Format {
  const types = new Negotiator({ headers: { accept: headers.get('accept') } }).mediaTypes()
  const best = types.find(
    type => type === 'application/openmetrics-text' || /^(?:text|\*)\/(?:plain|\*)$/.test(type),
  )
  return best === 'application/openmetrics-text' ? 'openmetrics' : 'text'
}

// The sentence is for the operator who wonders why Prometheus gets nothing.
const notAllowed = (): HttpError => new HttpError(403, 'The metrics are not for this address.')

const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'
