import type { Version } from '../../seat.ts'
import type { ListeningAddress } from '../../server.ts'
import type { Outcome } from '../reloader.ts'

/** An address that a worker wants to listen on. */
export interface PlaceQuestion {
  /** Of a Unix socket; else null. */
  readonly path: string | null
  readonly host: string
  readonly port: number
  /** Its place in the config. */
  readonly at: string
}

/** Where it shall listen, or what the system says of it. */
export type PlaceAnswer =
  | { readonly port: number; readonly reusePort: boolean }
  | { readonly code: string; readonly message: string }

/** What plugins say to each other: bytes that only they can read. */
export interface PeerMessage {
  readonly topic: string
  readonly message: Uint8Array
}

/** A value that workers agree on. */
export interface NamedVersion extends Version {
  readonly name: string
}

/** What a worker has loaded: equal for equal files of the config. */
export interface Loaded {
  readonly fingerprint: string
}

/** A worker that serves. */
export interface Served extends Loaded {
  readonly addresses: readonly ListeningAddress[]
}

/** The end of a reload, and where the worker listens since; without that it is no good end. */
export interface Committed extends Outcome {
  readonly addresses?: readonly ListeningAddress[] | undefined
}

/** What primary and worker ask each other, and what they answer. */
export interface Questions {
  // A worker asks:
  /** Where to listen. */
  readonly place: { readonly ask: PlaceQuestion; readonly answer: PlaceAnswer }
  /** It serves. */
  readonly ready: { readonly ask: Served; readonly answer: null }
  /** It cannot. */
  readonly failed: { readonly ask: Outcome; readonly answer: null }
  /** A signal has told it to end. */
  readonly leaving: { readonly ask: null; readonly answer: null }
  readonly propose: { readonly ask: NamedVersion; readonly answer: Version }
  /** All the others: what those have answered who did so in time. */
  readonly peers: { readonly ask: PeerMessage; readonly answer: readonly Uint8Array[] }
  // The primary asks:
  /** A peer's question; null is no answer. */
  readonly peer: { readonly ask: PeerMessage; readonly answer: Uint8Array | null }
  /** A value was replaced. */
  readonly version: { readonly ask: NamedVersion; readonly answer: null }
  /** The first half of a reload: what waits for the second, or why nothing does. */
  readonly prepare: { readonly ask: null; readonly answer: Outcome | Loaded }
  readonly commit: { readonly ask: null; readonly answer: Committed }
  readonly abandon: { readonly ask: null; readonly answer: null }
  /** Open the logs anew. */
  readonly reopen: { readonly ask: null; readonly answer: null }
  /** The milliseconds that it has for what is in flight; null where its end is not its own to time. */
  readonly stop: { readonly ask: StopQuestion; readonly answer: number | null }
}

/** How a worker shall end: at its leisure because others have its place, in the usual time, or now. */
export type StopQuestion = 'replaced' | 'usual' | 'forced'

export type Kind = keyof Questions
