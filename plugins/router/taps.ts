import {
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  type PluginSite,
  Slots,
  sharedTaps,
  slot,
} from 'rawhttp'
import { toResponse } from './answer.ts'
import { type CheckedContext, RawContext } from './context.ts'
import { checkedContext, isPromise } from './schemas.ts'
import type { RouterSettings } from './settings.ts'
import type { CompiledRoute, Match, RouteTable } from './table.ts'
import type { Guard } from './types.ts'
import { ValidationError, validationProblem } from './validation-error.ts'

type Callback = (error?: Error | null, answer?: HttpResponse) => void

/** The route of a request. Of several routers the first one that finds a route has it. */
const Matched = slot<Match>('router.match')

/** A router on one of its sites: what each request needs of it in one piece. */
class Here {
  readonly table: RouteTable
  readonly site: PluginSite
  readonly onError: RouterSettings['onError']

  constructor({ table, onError }: RouterSettings, site: PluginSite) {
    this.table = table
    this.site = site
    this.onError = onError
  }
}

const tapsFor = sharedTaps('router', (own: (request: HttpRequest) => Here) => ({
  match: (request: HttpRequest) => void match(own(request).table, request),
  guard: (request: HttpRequest, callback: Callback) =>
    prepare(match(own(request).table, request), request, callback),
  run(request: HttpRequest, callback: Callback): void {
    const found = request.get(Matched)
    const { table, site } = own(request)
    if (found === undefined || found.store.table !== table) callback()
    else run(found.store, new RawContext(request, site, found.params), callback)
  },
  allow: (request: HttpRequest) => allow(own(request).table, request),
  redirect: (request: HttpRequest) => redirect(own(request).table, request),
  refuse: (request: HttpRequest) => refuse(own(request).table, request),
  fail(error: HttpError, request: HttpRequest): HttpResponse | undefined {
    const { table, onError } = own(request)
    if (request.get(Matched)?.store.table !== table) return undefined
    const answer = onError?.(error, request)
    return answer ?? (error instanceof ValidationError ? validationProblem(error) : undefined)
  },
}))

/** Taps a site. A route is found and guarded before any cache, and run where answers are made. */
export function tapSite(site: PluginSite, settings: RouterSettings): void {
  const { table, isOwner, redirectsSlash } = settings
  const { handle, error } = site.hooks
  const taps = tapsFor(site, new Here(settings, site))
  for (const guard of new Set(table.routes.flatMap(({ guards }) => guards))) guard.setup?.(site)
  if (table.isGuarded) handle.tapAsync({ name: 'router:match', stage: Handle.Match }, taps.guard)
  else handle.tap({ name: 'router:match', stage: Handle.Match }, taps.match)
  handle.tapAsync({ name: 'router:handler', stage: Handle.Route }, taps.run)
  // Only now: what files answer never asks which other methods a path has.
  handle.tap({ name: 'router:allow', stage: Handle.Fallback - 20 }, taps.allow)
  if (redirectsSlash) handle.tap({ name: 'router:slash', stage: Handle.Fallback - 15 }, taps.redirect)
  if (isOwner) handle.tap({ name: 'router:own', stage: Handle.Fallback - 10 }, taps.refuse)
  error.tap('router', taps.fail)
}

function match(table: RouteTable, request: HttpRequest): CompiledRoute | null {
  if (request.get(Matched) !== undefined) return null
  const found = table.find(request)
  if (found === null) return null
  request.set(Matched, found)
  request.set(Slots.route, found.store.pattern)
  return found.store
}

function prepare(route: CompiledRoute | null, request: HttpRequest, callback: Callback): void {
  if (route === null) return callback()
  if (route.limits !== null) change(request.limits, route.limits)
  runGuards(route.guards, 0, request, callback)
}

// A guard of another plugin may have read the body: it did so by the site's limits, and those of the body are fixed then.
function change(limits: HttpRequest['limits'], changes: NonNullable<CompiledRoute['limits']>): void {
  for (const [name, value] of Object.entries(changes)) Reflect.set(limits, name, value)
}

function runGuards(guards: readonly Guard[], from: number, request: HttpRequest, callback: Callback): void {
  for (let i = from; i < guards.length; i++) {
    const answer = guards[i]!(request)
    if (isPromise(answer)) {
      answer.then(
        later => (later ? callback(null, later) : goOn(guards, i + 1, request, callback)),
        reason => callback(errorOf(reason)),
      )
      return
    }
    if (answer) return callback(null, answer)
  }
  callback()
}

// Behind an await nobody catches what the next guard throws.
function goOn(guards: readonly Guard[], from: number, request: HttpRequest, callback: Callback): void {
  if (from === guards.length) return callback()
  const rest = async () => {
    for (const guard of guards.slice(from)) {
      const answer = await guard(request)
      if (answer) return answer
    }
    return undefined
  }
  rest().then(
    answer => callback(null, answer),
    reason => callback(errorOf(reason)),
  )
}

function run(route: CompiledRoute, raw: RawContext, callback: Callback): void {
  const context = route.schemas === null ? raw : checkedContext(route.schemas, raw)
  const answer = isPromise(context) ? context.then(checked => call(route, checked)) : call(route, context)
  if (isPromise(answer)) runLater(answer, route, callback)
  else callback(null, toResponse(answer, route.key))
}

function call(route: CompiledRoute, context: RawContext | CheckedContext): unknown {
  return route.handler(context as never)
}

function runLater(answer: PromiseLike<unknown>, route: CompiledRoute, callback: Callback): void {
  answer.then(
    value => {
      let response: HttpResponse
      try {
        response = toResponse(value, route.key)
      } catch (error) {
        return callback(errorOf(error))
      }
      callback(null, response)
    },
    reason => callback(errorOf(reason)),
  )
}

function allow(table: RouteTable, request: HttpRequest): void {
  const methods = table.methodsOf(request)
  if (methods.length > 0) request.allow(...methods)
}

// A canonical path has one leading slash, so that Location can never name another host, as `//host` would.
function redirect(table: RouteTable, request: HttpRequest): HttpResponse | undefined {
  const { path, search } = request
  const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
  if (request.get(Matched) !== undefined || other === '' || table.find(request, other) === null)
    return undefined
  return HttpResponse.redirect(`${other}${search}`, 308)
}

// OPTIONS for a path with routes is the kernel's: 204 with Allow.
function refuse(table: RouteTable, request: HttpRequest): void {
  if (!table.owns(request.path)) return
  const methods = table.methodsOf(request)
  if (methods.length === 0) throw new HttpError(404)
  if (request.method === 'OPTIONS') return
  const allow = [...new Set(methods).add('OPTIONS')].sort().join(', ')
  throw new HttpError(405, undefined, { headers: { allow } })
}

// To a callback `undefined` means success, and a promise may be rejected with it.
function errorOf(reason: unknown): Error {
  if (reason instanceof Error) return reason
  return new Error(`a handler or guard failed with ${String(reason)}`, { cause: reason })
}
