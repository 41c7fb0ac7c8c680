import Negotiator from 'negotiator'
import { remembered } from 'rawhttp'
import type { Coding } from './codecs.ts'

/** What a client is to get by its Accept-Encoding (RFC 9110 section 12.5.3). */
export interface Choice {
  /** The best coding, or null when the body goes as it is. */
  readonly coding: Coding | null
  /** Whether the client takes no body without a coding. */
  readonly refusesIdentity: boolean
}

/** Remembered choices: browsers send a handful of fields. */
const REMEMBERED = 256

/** Without the field any coding would do, but clients that send none are those that decode none. */
const AS_IT_IS: Choice = { coding: null, refusesIdentity: false }

/** Makes the choice for one list of codings, the preferred one first. */
export function negotiation(codings: readonly Coding[]): (acceptEncoding: string | undefined) => Choice {
  const choiceOf = remembered(acceptEncoding => choose(codings, acceptEncoding), REMEMBERED)
  return acceptEncoding => (acceptEncoding === undefined ? AS_IT_IS : choiceOf(acceptEncoding))
}

// RFC 9110 section 8.4.1.3: both names mean the same.
const OLD_GZIP = /(^|,)([ \t]*)x-gzip/gi

/** No coding is refused by a weight that is no weight: only this says that a client cannot do without one. */
const REFUSES_IDENTITY = /(?:^|,)[ \t]*(?:identity|\*)[ \t]*;[ \t]*q=0(?:\.0{0,3})?[ \t]*(?:,|$)/i

/** Its types are of a version that knew no preference of the server's. */
interface Encodings {
  encodings(available: string[], options: { readonly preferred: readonly string[] }): string[]
}

function choose(codings: readonly Coding[], acceptEncoding: string): Choice {
  const field = acceptEncoding.replace(OLD_GZIP, '$1$2gzip')
  const negotiator: Encodings = new Negotiator({ headers: { 'accept-encoding': field } })
  const accepted = negotiator.encodings([...codings, 'identity'], { preferred: codings })
  const refusesIdentity = !accepted.includes('identity') && REFUSES_IDENTITY.test(field)
  const [best = 'identity'] = accepted
  return { coding: best === 'identity' ? null : (best as Coding), refusesIdentity }
}
