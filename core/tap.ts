import { asError, type Diagnostic } from './errors.ts'
import type { Place } from './place.ts'
import type { ScopeOptions } from './plugin.ts'
import type { HttpRequest } from './request.ts'

/** One tap of one hook: who made it, and where it stands. Listings, reports and errors name it. */
export interface Tap {
  readonly hook: string
  /** The plugin's listed name: `static#2`. */
  readonly plugin: string
  /** The label that the plugin gave. */
  readonly name: string
  readonly stage: number
  readonly kind: 'sync' | 'promise' | 'async'
  /** Where it was tapped; the first place of a function that its plugin taps for several sites. */
  readonly place: Place | null
  /** Where the factory of its plugin was called. */
  readonly pluginPlace: Place | null
  /** What its plugin is narrowed to, from the outermost scope to the innermost. */
  readonly scopes: readonly ScopeOptions[]
}

const taps = new WeakMap<object, Tap>()

/** The tap that an error came from, if one is known. */
export function tapOf(error: unknown): Tap | undefined {
  return typeof error === 'object' && error !== null ? taps.get(error) : undefined
}

/** Notes which tap threw an error. The last one counts: an error may be thrown again, or be a constant of several. */
export function blame(thrown: unknown, tap: Tap): Error {
  const error = asError(thrown)
  taps.set(error, tap)
  return error
}

/** A tap in words: `plugin "auth", handle tap "auth:check"`. */
export function tapText(tap: Tap): string {
  return `plugin "${tap.plugin}", ${tap.hook} tap "${tap.name}"`
}

/** @internal A tap's failure, as a diagnostic. */
export function tapFailed(error: Error, tap: Tap, request?: HttpRequest | null): Diagnostic {
  return {
    ...factsOf(tap, request),
    code: 'TAP_FAILED',
    message: `${tapText(tap)} failed: ${saidOnce(error.message, tapText(tap))}`,
    severity: 'error',
    cause: error,
  }
}

/** @internal A tap that answered once more, as a diagnostic. */
export function calledTwice(tap: Tap, request?: HttpRequest | null): Diagnostic {
  const message = `${tapText(tap)} called its callback twice; the second answer was dropped`
  return { ...factsOf(tap, request), code: 'TAP_CALLED_TWICE', message, severity: 'error' }
}

function factsOf(tap: Tap, request: HttpRequest | null | undefined) {
  const { plugin, hook, name } = tap
  return { plugin, hook, tap: name, site: request?.currentSite?.name, request: request?.summary }
}

/** An error with its owner in front, the same object where that is possible: its class and code stay. */
export function prefixed(thrown: unknown, owner: string): Error {
  const error = asError(thrown)
  const message = `${owner}: ${saidOnce(error.message, owner)}`
  // Not assigned: a DOMException has its message from its prototype, without a setter.
  if (Reflect.defineProperty(error, 'message', { value: message, configurable: true, writable: true }))
    return error
  return new Error(message, { cause: error })
}

/** A message without the plugin that its sentence names already: hooks and `keep` name theirs wherever they throw. */
function saidOnce(message: string, owner: string): string {
  const [lead = '', plugin = ''] = /^(plugin "[^"]+")(?:, |: )/.exec(message) ?? []
  return plugin !== '' && owner.includes(plugin) ? message.slice(lead.length) : message
}
