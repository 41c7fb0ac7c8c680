import type { Duplex } from 'node:stream'
import {
  AsyncParallelHook,
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncBailHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable'
import { closest } from './config/suggest.ts'
import { type Diagnostic, describe, type HttpError } from './errors.ts'
import { answerFor } from './event-answer.ts'
import { type Check, Hook, type HookContext, type HookSpec, type TapOwner } from './hook.ts'
import type { ConnectionOwner, Outcome, ServerHooks, SiteHooks } from './hooks.ts'
import type { ConnectionInfo } from './listener.ts'
import { ownerIn } from './owner.ts'
import { caller, inBrackets } from './place.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'
import { standsFor } from './response-body.ts'

const nothing: Check = answer => {
  if (answer === undefined || answer === null) return undefined
  throw new TypeError(`expected nothing, got ${describe(answer)}`)
}

const unchanged: Check = answer => {
  if (answer === undefined || answer === null) return undefined
  throw new TypeError(
    `expected nothing, got ${describe(answer)}; a tap of deliver changes the response that it is given`,
  )
}

const response: Check = (answer, _given, tap) => {
  if (answer === undefined || answer === null) return undefined
  if (answer instanceof HttpResponse) {
    answer.givenBy ??= tap
    return answer
  }
  throw new TypeError(`expected an HttpResponse or nothing, got ${describe(answer)}`)
}

const noUpgrade: Check = (answer, given, tap, request) => {
  const checked = response(answer, given, tap, request) as HttpResponse | undefined
  if (checked === undefined || checked.upgradeHandler === null) return checked
  throw new TypeError('only a tap of handle may answer with HttpResponse.upgrade()')
}

// Each tap gets a fork of its own to change, also when the tap before it put another response in its place.
const replacement: Check = (answer, given, tap, request) => {
  const other = noUpgrade(answer, given, tap, request) as HttpResponse | undefined
  if (other === undefined || other === given) return undefined
  standsFor(other.body, (given as HttpResponse).body)
  const own = answerFor(request!, other)
  return own === other ? other.seal().fork() : own
}

const owner: Check = ownerIn

const spec = (name: string, check: Check, rest: Partial<HookSpec> = {}): HookSpec => ({
  name,
  check,
  isAsync: false,
  needsStage: false,
  isObserver: false,
  requestAt: -1,
  givesServer: false,
  ...rest,
})

// One for all sites: taps are told apart by them, and the line reads them with every request.
const siteSpecs = {
  handle: spec('handle', response, { isAsync: true, needsStage: true, requestAt: 0 }),
  error: spec('error', noUpgrade, { requestAt: 1 }),
  transform: spec('transform', replacement, { isAsync: true, needsStage: true, requestAt: 1 }),
  deliver: spec('deliver', unchanged, { requestAt: 1 }),
  done: spec('done', nothing, { isObserver: true, requestAt: 0 }),
}

/** @internal The hooks of one site: tapable instances behind guards. */
export class SiteHookTable {
  readonly handle: Hook<AsyncSeriesBailHook<[HttpRequest], HttpResponse>>
  readonly error: Hook<SyncBailHook<[HttpError, HttpRequest], HttpResponse | undefined>>
  readonly transform: Hook<AsyncSeriesWaterfallHook<[HttpResponse, HttpRequest]>>
  readonly deliver: Hook<SyncWaterfallHook<[HttpResponse, HttpRequest]>>
  readonly done: Hook<SyncHook<[HttpRequest, HttpResponse | null, Outcome]>>

  constructor(context: HookContext) {
    const { handle, error, transform, deliver, done } = siteSpecs
    this.handle = new Hook(() => new AsyncSeriesBailHook(['request']), handle, context)
    this.error = new Hook(() => new SyncBailHook(['error', 'request']), error, context)
    this.transform = new Hook(() => new AsyncSeriesWaterfallHook(['response', 'request']), transform, context)
    this.deliver = new Hook(() => new SyncWaterfallHook(['response', 'request']), deliver, context)
    this.done = new Hook(() => new SyncHook(['request', 'response', 'outcome']), done, context)
  }

  /** Every hook in the order in which a request meets it. */
  get all(): readonly Hook[] {
    return [this.handle, this.error, this.transform, this.deliver, this.done]
  }

  /** The hooks as one plugin sees them. */
  facesFor(owner: TapOwner): SiteHooks {
    return faces('site.hooks', this.all, owner)
  }
}

/** @internal The hooks of one server generation. */
export class ServerHookTable {
  readonly start: Hook<AsyncSeriesHook<[]>>
  readonly connection: Hook<SyncBailHook<[Duplex, ConnectionInfo], ConnectionOwner | undefined>>
  readonly protocolError: Hook<SyncBailHook<[HttpError, HttpRequest], HttpResponse | undefined>>
  readonly report: Hook<SyncHook<[Diagnostic]>>
  readonly retire: Hook<SyncHook<[]>>
  readonly drain: Hook<AsyncParallelHook<[]>>
  readonly stop: Hook<AsyncSeriesHook<['reload' | 'shutdown' | 'failed']>>

  constructor(context: HookContext) {
    this.start = new Hook(
      () => new AsyncSeriesHook([]),
      spec('start', nothing, { isAsync: true, givesServer: true }),
      context,
    )
    this.connection = new Hook(
      () => new SyncBailHook(['stream', 'info']),
      spec('connection', owner, { needsStage: true }),
      context,
    )
    this.protocolError = new Hook(
      () => new SyncBailHook(['error', 'request']),
      spec('protocolError', noUpgrade, { requestAt: 1 }),
      context,
    )
    this.report = new Hook(
      () => new SyncHook(['diagnostic']),
      spec('report', nothing, { isObserver: true }),
      context,
    )
    this.retire = new Hook(
      () => new SyncHook([]),
      spec('retire', nothing, { isObserver: true, givesServer: true }),
      context,
    )
    this.drain = new Hook(
      () => new AsyncParallelHook([]),
      spec('drain', nothing, { isAsync: true, isObserver: true, givesServer: true }),
      context,
    )
    this.stop = new Hook(
      () => new AsyncSeriesHook(['reason']),
      spec('stop', nothing, { isAsync: true, isObserver: true, givesServer: true }),
      context,
    )
  }

  get all(): readonly Hook[] {
    return [this.start, this.connection, this.protocolError, this.report, this.retire, this.drain, this.stop]
  }

  /** The hooks as one plugin sees them. */
  facesFor(owner: TapOwner): ServerHooks {
    return faces('server.hooks', this.all, owner)
  }
}

const SITE_HOOKS = ['handle', 'error', 'transform', 'deliver', 'done']
const SERVER_HOOKS = ['start', 'connection', 'protocolError', 'report', 'retire', 'drain', 'stop']

/** Hooks by name. They are asked for only while plugins set up, so that a sentence for a wrong name costs nothing. */
function faces<Hooks extends object>(where: string, hooks: readonly Hook[], owner: TapOwner): Hooks {
  const known = Object.freeze(Object.fromEntries(hooks.map(hook => [hook.spec.name, hook.faceOf(owner)])))
  return new Proxy(known as Hooks, {
    get: (target, name) => {
      // What prints or awaits a value looks for names of its own.
      if (name in target || typeof name === 'symbol' || name === 'then' || name === 'toJSON')
        return Reflect.get(target, name)
      throw new TypeError(
        `plugin "${owner.plugin}": ${where} has no "${name}"; ${hookFor(name, Object.keys(target))}${inBrackets(caller())}`,
      )
    },
  })
}

function hookFor(name: string, here: readonly string[]): string {
  if (SITE_HOOKS.includes(name)) return `it is a hook of each site: site.hooks.${name} in site()`
  if (SERVER_HOOKS.includes(name)) return `it is a hook of the server: site.server.hooks.${name}`
  const meant = closest(name, [...SITE_HOOKS, ...SERVER_HOOKS])
  const hint = meant === null ? '' : `did you mean "${meant}"? `
  return `${hint}it has ${here.join(', ')}`
}
