import type { RefusalId } from '../../core/errors.ts'

/** How much a clause demands. `policy` is a choice of ours where the RFCs leave one, or are stricter than need be. */
type Level = 'MUST' | 'SHOULD' | 'MAY' | 'policy'

/** What happens on the connection, in order: bytes in latin1, or something to do between them. */
export type Step =
  | string
  /** Each byte in a write of its own. */
  | { readonly bytewise: string }
  /** Nothing more is sent before this answer has come. */
  | { readonly answer: Answer }
  | typeof FIN
  | typeof CLOSED

/** The client ends its side. */
export const FIN = { fin: true } as const

/** Nothing more is sent before the server has ended its side. */
export const CLOSED = { closed: true } as const

/** An answer, interim ones too. */
export interface Answer {
  readonly status: number
  /** Values of fields; null for one that may not be there. */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>
  readonly body?: string | RegExp
  /** What the handler saw, for an answer of the echo. */
  readonly saw?: Readonly<Partial<Echo>>
  /** Whether the request was HEAD: no body follows. */
  readonly toHead?: boolean
  readonly trailers?: readonly string[]
}

/** What the echo tells of its request. */
export interface Echo {
  readonly method: string
  readonly target: string
  readonly path: string
  readonly query: string
  readonly version: string
  readonly host: string
  readonly hostname: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
}

export interface Expectation {
  readonly answers: readonly Answer[]
  /** `kept`: another request on the connection is answered. `closed`: a clean end. `reset`: a cut. */
  readonly afterwards: 'kept' | 'closed' | 'reset'
  readonly refusal?: RefusalId
  /** Bytes behind the last answer: what speaks another protocol. */
  readonly rest?: string
}

/** One clause: what is sent, and what must come of it. */
export interface Row {
  /** `RFC 9112 3.2`. */
  readonly section: string
  readonly level: Level
  /** A sentence of behaviour. */
  readonly name: string
  readonly send: readonly Step[]
  readonly expect: Expectation
  /** Which server: one that answers for every host, or for `a` alone. */
  readonly on?: 'any-host' | 'one-host'
}

export interface Table {
  readonly topic: string
  readonly rows: readonly Row[]
}

type Maker = (section: string, name: string, send: Step | readonly Step[], expect: Expectation) => Row

const maker =
  (level: Level): Maker =>
  (section, name, send, expect) => ({
    section: `RFC ${section}`,
    level,
    name,
    send: Array.isArray(send) ? send : [send as Step],
    expect,
  })

export const must = maker('MUST')
export const should = maker('SHOULD')
export const may = maker('MAY')
export const policy = maker('policy')

/** The message is refused with this status and id, and the connection ends. */
export function refused(status: number, refusal: RefusalId, ...before: readonly Answer[]): Expectation {
  return { answers: [...before, { status }], afterwards: 'closed', refusal }
}

/** The echo answers, and the connection is kept. */
export function echoed(...saw: readonly Partial<Echo>[]): Expectation {
  return { answers: saw.map(each => ({ status: 200, saw: each })), afterwards: 'kept' }
}

export function kept(...answers: readonly Answer[]): Expectation {
  return { answers, afterwards: 'kept' }
}

export function closed(...answers: readonly Answer[]): Expectation {
  return { answers, afterwards: 'closed' }
}
