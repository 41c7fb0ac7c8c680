import Negotiator from 'negotiator'
import { remembered } from 'rawhttp'

/** What a client can be given of an error. */
export type Kind = 'text/html' | 'application/problem+json' | 'application/json' | 'text/plain'

/** What a client gets that takes anything. */
export type Preference = 'html' | 'problem'

// Problem details are JSON: who asks for JSON only gets them under that name.
const KINDS: Readonly<Record<Preference, readonly Kind[]>> = {
  html: ['text/html', 'application/problem+json', 'application/json', 'text/plain'],
  problem: ['application/problem+json', 'application/json', 'text/html', 'text/plain'],
}

/** How many fields are remembered: browsers and libraries have a few dozen between them. */
const REMEMBERED = 200

/** Chooses by a request's Accept (RFC 9110 section 12.5.1). */
export type Negotiate = (accept: string | undefined) => Kind

/** Makes the choice of one instance, which remembers what it has chosen before. */
export function negotiation(prefer: Preference): Negotiate {
  const kinds = KINDS[prefer]
  const kindOf = remembered(accept => choose(accept, kinds), REMEMBERED)
  return accept => (accept === undefined || accept === '' ? kinds[0]! : kindOf(accept))
}

function choose(accept: string, kinds: readonly Kind[]): Kind {
  const chosen = new Negotiator({ headers: { accept } }).mediaType([...kinds])
  if (chosen !== undefined) return chosen as Kind
  // A client of an API that has a type of its own, such as application/vnd.api+json, still reads JSON best.
  return /[/+]json\b/i.test(accept) ? 'application/problem+json' : 'text/plain'
}
