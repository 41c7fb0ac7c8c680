import type { RefusalId } from '../errors.ts'
import type { Outcome } from '../hooks.ts'
import type { Peer } from '../listener.ts'
import type { Place } from '../place.ts'

/**
 * What became of one request, tap by tap: plain data, which JSON carries as it is. Values of fields that carry
 * credentials (Authorization, Proxy-Authorization, Cookie, Set-Cookie) are masked; everything else of a client is as it
 * came, and has to be escaped by who shows it.
 */
export interface RequestTrace {
  readonly request: TracedRequest
  readonly site: TracedSite
  /** What happened on the line, in its order; taps that were not asked stand where they would have been. */
  readonly steps: readonly TraceStep[]
  /** The answer as it was committed to; null while there is none, and for a client that left before. */
  readonly answer: TracedAnswer | null
  /** Faults that were reported of this request, in the operator's words. */
  readonly faults: readonly { readonly code: string; readonly message: string }[]
  /** How it ended; null while it is under way. */
  readonly outcome: (Omit<Outcome, 'error'> & { readonly error: string | null }) | null
}

/** The request of a trace. */
export interface TracedRequest {
  readonly method: string
  readonly target: string
  /** The canonical path, as rewrites have left it. */
  readonly path: string
  readonly version: string
  readonly scheme: string
  readonly host: string
  readonly client: Peer
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Why the kernel refused the message; null when it did not. */
  readonly refused: { readonly id: RefusalId; readonly sentence: string; readonly section: string } | null
  /** What plugins have noted, as logs show it; null where nobody has. */
  readonly id: string | null
  readonly route: string | null
  readonly cacheStatus: string | null
}

/** Which site answered, and by which of its hosts. */
export interface TracedSite {
  readonly name: string
  /** The host of the config that took the request; null where none did. */
  readonly host: string | null
  /**
   * `exact`, `wildcard`, `default` (`'*'`): by that host; `given`: a plugin sent the request to this site; `refused` and
   * `unknown-host`: the built-in site.
   */
  readonly why: 'exact' | 'wildcard' | 'default' | 'given' | 'refused' | 'unknown-host'
}

/** One step of a trace. */
export type TraceStep = TapStep | KernelStep

/** What one tap did. */
export interface TapStep {
  readonly by: 'plugin'
  readonly hook: string
  /** The plugin's listed name: `static#2`. */
  readonly plugin: string
  readonly tap: string
  readonly stage: number
  /** `Handle.Guard - 20`. */
  readonly stageName: string
  /** Where the plugin's factory was called. */
  readonly configured: Place | null
  readonly tapped: Place | null
  /**
   * `passed`: it left the request to the others; `answered`; `changed`: the response; `threw`; `unfinished`: it never
   * came back; `out-of-scope`; `not-asked`: {@link note} says why.
   */
  readonly result: 'passed' | 'answered' | 'changed' | 'threw' | 'unfinished' | 'out-of-scope' | 'not-asked'
  /** Milliseconds from the request's head to the tap; null when it did not run. */
  readonly at: number | null
  /** Until it answered, also while it waited for something; null when it did not run, or never came back. */
  readonly milliseconds: number | null
  /** Of what it answered, or of the HttpError that it threw. */
  readonly status: number | null
  /** Why it was not asked, or what it threw. */
  readonly note: string | null
  readonly changes: readonly TraceChange[]
}

/** What the kernel did between the taps. */
export interface KernelStep {
  readonly by: 'kernel'
  /** Milliseconds from the request's head. */
  readonly at: number
  /** A sentence: `nobody answered`. */
  readonly note: string
  /** The rule: `RFC 9110 15.5.5`; null for what is rawhttp's own. */
  readonly section: string | null
  /** The status that came of it; null when none did. */
  readonly status: number | null
  readonly changes: readonly TraceChange[]
}

/** One thing that a step changed. */
export type TraceChange =
  | { readonly what: 'status'; readonly from: number; readonly to: number }
  | { readonly what: 'body'; readonly from: TracedBody; readonly to: TracedBody }
  /** Null: the field was not there; several lines of one name are joined. */
  | {
      readonly what: 'field'
      readonly name: string
      readonly from: string | null
      readonly to: string | null
      /** The kernel did it because of what the tap did. */
      readonly rule: TraceRule | null
    }
  /** Of the request: a rewrite, a restriction, methods that the path has. */
  | { readonly what: 'request'; readonly note: string }

/** A rule that the kernel goes by. */
export interface TraceRule {
  readonly text: string
  /** `RFC 9110 8.8.3`; null for what is rawhttp's own. */
  readonly section: string | null
}

/** What a body is, without its content. `bytes` is null when only its end will tell. */
export interface TracedBody {
  readonly kind: 'none' | 'text' | 'bytes' | 'file' | 'parts' | 'made-when-sent' | 'stream'
  readonly bytes: number | null
}

/** Who set something: a plugin by one of its taps, the kernel by a rule, or the kernel because of what a plugin did. */
export interface TraceSource {
  readonly by: 'plugin' | 'kernel'
  /** Of a field that the kernel derives from what a plugin did, that plugin. */
  readonly plugin: string | null
  readonly hook: string | null
  readonly tap: string | null
  /** Where the plugin's factory was called. */
  readonly configured: Place | null
  /** Null for what a plugin did itself. */
  readonly rule: TraceRule | null
}

/** A field line of the answer. */
export interface TracedField {
  readonly name: string
  readonly value: string
  /** Who set it to this value. */
  readonly source: TraceSource
  /** Who had set it to others before, the first one first. */
  readonly before: readonly TraceSource[]
}

/** The answer of a trace. */
export interface TracedAnswer {
  readonly status: number
  /** Who gave it first. */
  readonly source: TraceSource
  /** In wire order, with what the transport adds, as far as that can tell. */
  readonly fields: readonly TracedField[]
  readonly body: TracedBody
}
