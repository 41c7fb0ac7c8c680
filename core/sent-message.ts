import { dateLine, type HeadFacts, headText, isBodyless } from './head-bytes.ts'
import { JOINED_BYTES } from './output.ts'
import type { HttpResponse } from './response.ts'
import { bytesOf, lengthOf } from './response-body.ts'

/** How many texts are remembered at a time. With bodies of {@link JOINED_BYTES} they take 4 MB. */
const MOST = 256

/** Whose texts they are. */
const remembering: SentMessage[] = []
/** The second that they are of: its line in a head. */
let present = ''

/**
 * The text of a message, head and body in one piece, of an answer that is finished and goes to many clients within a
 * second: nothing need be put together, nor flattened, for all but the first two. It holds for one second, one form of the
 * head and the very lines that a fork has added; whatever differs from it is made as ever.
 */
export class SentMessage {
  #second = ''
  #text: string | null = null
  #minor: HeadFacts['minor'] = 1
  #keepAlive = true
  #own: readonly string[] = []

  /** The text for a client; null when it has to be made for this one. */
  textFor(response: HttpResponse, own: readonly string[], facts: HeadFacts): string | null {
    const second = dateLine()
    if (second !== present) startSecond(second)
    // Most are sent once, and shall not take memory for it.
    if (second !== this.#second) this.#second = second
    else if (this.#text === null) this.#remember(response, own, facts)
    return this.#fits(own, facts) ? this.#text : null
  }

  forget(): void {
    this.#text = null
    this.#own = []
  }

  #fits(own: readonly string[], { minor, keepAlive }: HeadFacts): boolean {
    return minor === this.#minor && keepAlive === this.#keepAlive && areSame(own, this.#own)
  }

  #remember(response: HttpResponse, own: readonly string[], facts: HeadFacts): void {
    if (remembering.length === MOST || !isSmall(response, facts.length)) return
    const head = headText(response, facts)
    const bytes = Buffer.alloc(head.length + lengthOf(response.body)!)
    bytes.write(head, 'latin1')
    if (response.body !== null) bytes.set(bytesOf(response.body as string | Uint8Array), head.length)
    this.#text = bytes.toString('latin1')
    this.#minor = facts.minor
    this.#keepAlive = facts.keepAlive
    // Those of a fork may still change.
    this.#own = [...own]
    remembering.push(this)
  }
}

/**
 * The text of a whole message that was remembered; null for what has to be made.
 *
 * Only answers that are marked as finished are remembered: their body is in memory, and nobody writes into it.
 */
export function sentText(response: HttpResponse, facts: HeadFacts): string | null {
  const base = response.base ?? response
  if (!base.isTransformed || !base.isSealed || facts.isHead) return null
  if (response.body !== base.body || response.status !== base.status) return null
  const own = response === base ? none : response.ownLines
  if (own === null) return null
  base.sent ??= new SentMessage()
  return base.sent.textFor(response, own, facts)
}

/** Whether a message has all of a body, which is in memory and joins its head. */
function isSmall({ body, status }: HttpResponse, length: number | null): boolean {
  if (body === null) return true
  // It is dropped: behind such a head it would be read as the next message (RFC 9112 section 6.3).
  if (isBodyless(status)) return false
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return false
  return length !== null && length <= JOINED_BYTES && length === lengthOf(body)
}

const none: readonly string[] = []

function startSecond(second: string): void {
  for (const message of remembering) message.forget()
  remembering.length = 0
  present = second
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false
  return true
}
