import Negotiator from 'negotiator'
import { remembered } from 'rawhttp'

/** The content codings that files are kept in beside the plain one. */
export type Coding = 'br' | 'zstd' | 'gzip'

/** What their names end in. */
export const extensions: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' }

/** In order of preference: what is smaller for text comes first. */
export const allCodings: readonly Coding[] = ['br', 'zstd', 'gzip']

/** Chooses among the codings that there are, by an Accept-Encoding field; null for the plain form. */
export type Choose = (acceptEncoding: string | undefined, has: (coding: Coding) => boolean) => Coding | null

/** Browsers send a handful of fields. */
const REMEMBERED = 256

/** @param codings In order of preference, which decides where the client has none. */
export function chooser(codings: readonly Coding[]): Choose {
  const accepted = remembered(field => acceptedOf(codings, field), REMEMBERED)
  // Without the field any coding would do, but clients that send none are those that decode none.
  return (field, has) => (field === undefined ? null : (accepted(field).find(has) ?? null))
}

/** Its types are of a version that knew no preference of the server's. */
interface Encodings {
  encodings(available: string[], options: { readonly preferred: readonly string[] }): string[]
}

// RFC 9110 section 8.4.1.3: x-gzip is gzip.
const OLD_GZIP = /(^|,)([ \t]*)x-gzip(?=[ \t]*(?:[;,]|$))/gi

/** Those that the client likes at least as much as the plain form (RFC 9110 section 12.5.3), the best one first. */
function acceptedOf(codings: readonly Coding[], acceptEncoding: string): readonly Coding[] {
  const field = acceptEncoding.replace(OLD_GZIP, '$1$2gzip')
  const negotiator: Encodings = new Negotiator({ headers: { 'accept-encoding': field } })
  const accepted = negotiator.encodings([...codings, 'identity'], { preferred: codings })
  const plain = accepted.indexOf('identity')
  return (plain === -1 ? accepted : accepted.slice(0, plain)) as Coding[]
}
