import {
  Deliver,
  definePlugin,
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  isFromThisMachine,
  isOfAnotherPage,
  maskTrace,
  namesThisMachine,
  type PluginServer,
  type PluginSite,
  type RequestTrace,
  ROOT_SITE,
  Slots,
} from 'rawhttp'
import { jsonOf, type Kept, Ring } from './ring.ts'
import { type TraceSettings, traceOptions } from './schema.ts'
import { serverTiming } from './server-timing.ts'

export type { TraceOptions } from './schema.ts'

/** What the sites of one instance have in common. */
interface Traces {
  /** What there is to read. */
  readonly answer: () => HttpResponse
  /** The trace of a request so far. */
  readonly of: (request: HttpRequest) => RequestTrace | null
}

/** By the server as each plugin instance sees it. */
const instances = new WeakMap<PluginServer, Traces>()

/**
 * Traces a share of the requests: what each tap did, who set each field of the answer, and what the kernel derived. The
 * last ones are shown at `/.rawhttp/trace`, to clients on this machine, who also get Server-Timing.
 *
 * @example
 * plugins: [trace({ sample: 0.1, paths: ['/checkout/*'] })]
 */
export const trace = definePlugin({
  name: 'trace',
  options: traceOptions,
  server(server, settings) {
    const { keep, memory, mask } = settings
    const limit = (ring: Ring): Ring => {
      ring.limit(keep, memory, mask)
      return ring
    }
    const ring = server.keep('traces', { create: () => limit(new Ring()), adopt: limit })
    server.peers.hear('traces', () => ring().newest())
    const of = server.trace({
      wants: request => isWanted(request, settings),
      finished: each => ring().add(maskTrace(each, mask)),
    })
    const answer = () => fielded(server.peers.isAlone ? textOf(ring()) : ofAll(ring(), server))
    instances.set(server, { answer, of })
  },
  site(site, settings) {
    const traces = instances.get(site.server)!
    if (settings.serverTiming !== false) tapDeliver(site, traces, settings)
    if (settings.path === false) return
    if (site.name !== ROOT_SITE) tapHandle(site, traces, settings)
    else if (settings.guard === null) tapUnknownHosts(site, traces, settings)
  },
})

function isWanted(request: HttpRequest, { sample, isChosen, header, path }: TraceSettings): boolean {
  if (request.path === path) return false
  if (sample > 0 && Math.random() < sample) return true
  if (isChosen?.(request) === true) return true
  // Whoever may not see a trace has no use for one, and others are not to choose what this server spends its time on.
  return header !== false && request.headers.has(header) && isFromThisMachine(request)
}

function tapDeliver({ hooks }: PluginSite, { of }: Traces, { serverTiming: whom }: TraceSettings): void {
  // Behind those who set fields last, so that they are among the timings.
  hooks.deliver.tap({ name: 'trace:timing', stage: Deliver.Last + 50 }, (response, request) => {
    const soFar = of(request)
    if (soFar === null || (whom === 'loopback' && !isFromThisMachine(request))) return
    const timing = serverTiming(soFar)
    if (timing !== null) response.append('server-timing', timing)
  })
}

function tapHandle(site: PluginSite, { answer }: Traces, { path, guard }: TraceSettings): void {
  guard?.setup?.(site)
  const { hooks, hosts } = site
  hooks.handle.tapAsync({ name: 'trace', stage: Handle.Early - 13 }, (request, callback) => {
    if (request.path !== path) return callback()
    if (!isRead(request)) return callback(null, void request.allow('GET'))
    request.set(Slots.route, path)
    if (guard === null)
      return isNear(request) && (hosts.includes(request.hostname) || namesThisMachine(request))
        ? callback(null, answer())
        : callback(notAllowed())
    // A guard that lets nobody in by throwing may do so at once.
    Promise.resolve(guard(request)).then(refusal => callback(null, refusal ?? answer()), callback)
  })
}

// Who works on this machine asks by its address, which no site has to have.
function tapUnknownHosts({ server }: PluginSite, { answer }: Traces, { path }: TraceSettings): void {
  server.hooks.protocolError.tap('trace', (_error, request) => {
    if (request.refused?.id !== 'HOST-UNKNOWN' || request.path !== path || !isRead(request)) return
    if (!isNear(request) || !namesThisMachine(request)) return
    request.set(Slots.route, path)
    return answer()
  })
}

/** A page of another origin would read the traces in its visitor's browser where `cors` lets it. */
const isNear = (request: HttpRequest): boolean => isFromThisMachine(request) && !isOfAnotherPage(request)

const textOf = (ring: Ring): HttpResponse => HttpResponse.text(jsonOf(ring.newest()))

/** Those of all workers: what a client asks for next may come to another one. */
const ofAll = (ring: Ring, { peers }: PluginServer): HttpResponse =>
  HttpResponse.stream(
    (async function* () {
      const others = (await peers.ask('traces')) as (readonly Kept[])[]
      yield jsonOf([ring.newest(), ...others].flat().sort((a, b) => b.at - a.at))
    })(),
  )

const fielded = (response: HttpResponse): HttpResponse =>
  response
    .set('content-type', 'application/json')
    .set('cache-control', 'no-store')
    .set('x-content-type-options', 'nosniff')

// The sentence is for the operator who wonders.
const notAllowed = (): HttpError =>
  new HttpError(
    403,
    'Traces are for clients on this machine, by its address or a host of the config, and for no other page.',
  )

const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'
