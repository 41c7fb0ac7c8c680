import { setTimeout as wait } from 'node:timers/promises'
import {
  AddressList,
  comesFrom,
  definePlugin,
  Handle,
  type HttpRequest,
  type HttpResponse,
  type PluginServer,
  type PluginSite,
  ROOT_SITE,
  Slots,
} from 'rawhttp'
import { answerOf } from './answer.ts'
import { Readiness, type Results } from './readiness.ts'
import { type HealthSettings, healthOptions } from './schema.ts'

export type { HealthOptions } from './schema.ts'

/** What the endpoints of one instance have in common. */
interface Health {
  readonly settings: HealthSettings
  readonly details: AddressList
  /** From `start` on: by then every plugin has added its checks. */
  readiness: Readiness | null
  /** Whether the server has begun to stop. A reload at that time must not make it ready again. */
  readonly state: () => { isStopping: boolean }
}

/** By the server as each plugin instance sees it. */
const instances = new WeakMap<PluginServer, Health>()

const STOPPING: Results = [{ name: 'shutdown', error: new Error('the server stops') }]

/**
 * Answers `/livez` while the process lives, and `/readyz` while requests are welcome: its checks and those that other
 * plugins add to `Slots.health` pass, and the server does not stop. Both come before guards, and need no credentials.
 *
 * @example
 * plugins: [health({ checks: { database: signal => pool.query('select 1', { signal }) }, delay: '5s' })]
 */
export const health = definePlugin({
  name: 'health',
  options: healthOptions,
  server(server, settings) {
    const state = server.keep('state', { create: () => ({ isStopping: false }) })
    const shared: Health = { settings, details: new AddressList(settings.details), readiness: null, state }
    instances.set(server, shared)
    server.hooks.start.tap('health', () => {
      const checks = [...settings.checks, ...server.get(Slots.health)]
      shared.readiness = new Readiness(checks, settings, server.log)
    })
    server.hooks.drain.tapPromise('health', async () => {
      state().isStopping = true
      await wait(settings.delay, undefined, { ref: false })
    })
  },
  site(site) {
    const shared = instances.get(site.server)!
    if (site.name === ROOT_SITE) tapUnknownHosts(site, shared)
    else tapHandle(site, shared)
  },
})

function tapHandle({ hooks }: PluginSite, shared: Health): void {
  // Before the redirect to https: who looks whether a server lives seldom follows.
  hooks.handle.tapAsync({ name: 'health', stage: Handle.Early - 30 }, (request, callback) => {
    const probe = probeOf(request, shared)
    if (probe === null) return callback()
    if (!isRead(request)) return callback(null, void request.allow('GET'))
    const known = resultsNow(probe, shared)
    if (known !== null) return callback(null, answerTo(probe, known, request, shared))
    const { readiness } = shared
    readiness!.run().then(results => callback(null, answerTo(probe, results, request, shared)), callback)
  })
}

// Load balancers ask an address for its health, by its address. Where all sites have names such a request belongs to
// none, and the kernel refuses it without asking `handle`. What answers then cannot wait: it tells the last results.
function tapUnknownHosts({ server }: PluginSite, shared: Health): void {
  server.hooks.protocolError.tap('health', (_error, request) => {
    if (request.refused?.id !== 'HOST-UNKNOWN' || !isRead(request)) return
    const probe = probeOf(request, shared)
    if (probe === null) return
    const known = resultsNow(probe, shared)
    if (known !== null) return answerTo(probe, known, request, shared)
    const { readiness } = shared
    void readiness!.run()
    return answerTo(probe, readiness!.latest ?? NOT_YET, request, shared)
  })
}

const NOT_YET: Results = [{ name: 'checks', error: new Error('they run for the first time') }]

type Probe = 'livez' | 'readyz'

function probeOf({ path }: HttpRequest, { settings }: Health): Probe | null {
  if (path === settings.readyz) return 'readyz'
  return path === settings.livez ? 'livez' : null
}

/** What is known at once; null when the checks have to run. */
function resultsNow(probe: Probe, { readiness, state }: Health): Results | null {
  if (probe === 'livez') return []
  return state().isStopping ? STOPPING : readiness!.fresh
}

function answerTo(probe: Probe, results: Results, request: HttpRequest, { details }: Health): HttpResponse {
  request.set(Slots.route, request.path)
  const isVerbose = request.query.has('verbose') && comesFrom(request, details)
  return answerOf(probe, results, isVerbose)
}

const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'
