import { Handle, HttpError, type HttpRequest, type HttpResponse, type PluginSite, Slots, slot } from 'rawhttp'
import { toResponse } from './answer.ts'
import { RawContext } from './context.ts'
import type { RouterSettings } from './settings.ts'
import type { CompiledRoute, Match, RouteTable } from './table.ts'
import type { Guard } from './types.ts'

type Callback = (error?: Error | null, answer?: HttpResponse) => void

/** The route of a request. Of several routers the first one that finds a route has it. */
const Matched = slot<Match>('router.match')

/** Taps a site. A route is found and guarded before any cache, and run where answers are made. */
export function tapSite(site: PluginSite, { table, isOwner }: RouterSettings): void {
  const { handle } = site.hooks
  if (table.isGuarded) {
    handle.tapAsync({ name: 'router:match', stage: Handle.Match }, (request, callback) =>
      runGuards(match(table, request)?.guards ?? [], 0, request, callback),
    )
  } else {
    handle.tap({ name: 'router:match', stage: Handle.Match }, request => void match(table, request))
  }
  handle.tapAsync({ name: 'router:handler', stage: Handle.Route }, (request, callback) => {
    const found = request.get(Matched)
    if (found === undefined || found.store.table !== table) callback()
    else run(found.store, new RawContext(request, site, found.params), callback)
  })
  // Only now: what files answer never asks which other methods a path has.
  handle.tap({ name: 'router:allow', stage: Handle.Fallback - 20 }, request => allow(table, request))
  if (isOwner)
    handle.tap({ name: 'router:own', stage: Handle.Fallback - 10 }, request => refuse(table, request))
}

function match(table: RouteTable, request: HttpRequest): CompiledRoute | null {
  if (request.get(Matched) !== undefined) return null
  const found = table.find(request)
  if (found === null) return null
  request.set(Matched, found)
  request.set(Slots.route, found.store.pattern)
  return found.store
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

function run(route: CompiledRoute, context: RawContext, callback: Callback): void {
  const answer: unknown = route.handler(context as never)
  if (isPromise(answer)) runLater(answer, route, callback)
  else callback(null, toResponse(answer, route.key))
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
  const methods = table.methodsOf(request.path)
  if (methods.length > 0) request.allow(...methods)
}

// OPTIONS for a path with routes is the kernel's: 204 with Allow.
function refuse(table: RouteTable, request: HttpRequest): void {
  if (!table.owns(request.path)) return
  const methods = table.methodsOf(request.path)
  if (methods.length === 0) throw new HttpError(404)
  if (request.method === 'OPTIONS') return
  const allow = [...new Set(methods).add('OPTIONS')].sort().join(', ')
  throw new HttpError(405, undefined, { headers: { allow } })
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

// To a callback `undefined` means success, and a promise may be rejected with it.
function errorOf(reason: unknown): Error {
  if (reason instanceof Error) return reason
  return new Error(`a handler or guard failed with ${String(reason)}`, { cause: reason })
}
