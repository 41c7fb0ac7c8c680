import type { HttpRequest } from 'rawhttp'
import { acceptedCodings } from './encodings.ts'
import type { Entry } from './entries.ts'
import type { Verdict } from './policy.ts'
import type { Variant } from './variant.ts'

/** What a resource takes beside its variants, and a name by which one is found, in bytes. Measured. */
const OVERHEAD = 500
const LINK_OVERHEAD = 200

/** Answers of one URL that differ by what the request said. */
const MOST_VARIANTS = 32
/** Ways to ask that are remembered: several may lead to one variant. */
const MOST_LINKS = 256

/** Fields in which case means nothing. */
const CASELESS: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-language'])

/** What is stored for one URL: variants, and which request gets which (RFC 9111 section 4.1). */
export class Resource implements Entry {
  readonly key: string
  isWanted = false
  counted = 0
  #vary: readonly string[] = []
  #hasVary = false
  #variesByCoding = false
  /** By what they depend on and their coding, the oldest first. */
  readonly #variants = new Map<string, Variant>()
  /** By what a request said. */
  readonly #links = new Map<string, Variant>()
  /** What was found last: most clients say the same. */
  #lastSelector: string | null = null
  #lastVariant: Variant | null = null
  #bytes = 0

  constructor(key: string) {
    this.key = key
  }

  get size(): number {
    return OVERHEAD + this.key.length + this.#bytes
  }

  get variants(): number {
    return this.#variants.size
  }

  /** What a request says in the fields that the stored answers were chosen by. */
  selector(request: HttpRequest): string {
    const others = this.#hasVary ? this.#others(request) : ''
    if (!this.#variesByCoding) return others
    const codings = acceptedCodings(request.headers.get('accept-encoding'))
    return this.#hasVary ? `${codings}\n${others}` : codings
  }

  find(selector: string): Variant | null {
    if (selector === this.#lastSelector) return this.#lastVariant
    const found = this.#links.get(selector)
    if (found === undefined) return null
    this.#lastSelector = selector
    this.#lastVariant = found
    return found
  }

  /** The variant of a coding for what a request says otherwise. */
  ofCoding(request: HttpRequest, coding: string): Variant | null {
    return this.#variants.get(placeOf(coding, this.#others(request))) ?? null
  }

  /** Whether a variant is still stored. */
  holds(variant: Variant): boolean {
    for (const each of this.#variants.values()) if (each === variant) return true
    return false
  }

  /** Learns what an answer was chosen by. What others were chosen by stays: a choice never becomes coarser. */
  learn(verdict: Verdict): void {
    if (this.knows(verdict)) return
    this.#vary = [...new Set([...this.#vary, ...verdict.vary])].sort()
    this.#hasVary = this.#vary.length > 0
    this.#variesByCoding ||= verdict.variesByCoding
    this.#variants.clear()
    this.#links.clear()
    this.#forgetLast()
    this.#bytes = 0
  }

  /** Whether all that an answer was chosen by is known already. */
  knows({ vary, variesByCoding }: Verdict): boolean {
    return (this.#variesByCoding || !variesByCoding) && vary.every(name => this.#vary.includes(name))
  }

  /** Stores a variant in the place of the one with the same coding for the same request. */
  add(request: HttpRequest, variant: Variant, most: number): void {
    const place = placeOf(variant.coding, this.#others(request))
    const before = this.#variants.get(place)
    if (before !== undefined) {
      // Who was led to the old one would be led to the new one: of two spellings neither pushes the other out.
      for (const [selector, linked] of this.#links) if (linked === before) this.#lead(selector, variant)
      this.#remove(place)
    }
    // Variants of an older version of a source that knows itself never become current again.
    const { isCurrent } = variant.response
    this.drop(({ response: old }) => old.isCurrent !== isCurrent && old.isCurrent?.() === false)
    this.#variants.set(place, variant)
    this.#bytes += variant.size + place.length
    this.link(request, variant)
    while (this.#variants.size > 1 && (this.#variants.size > MOST_VARIANTS || this.size > most))
      this.#remove(this.#variants.keys().next().value!)
  }

  /** Puts a variant in the place of an older one of the same bytes: who was led to that one gets this. */
  renew(old: Variant, variant: Variant): void {
    for (const [place, each] of this.#variants) if (each === old) this.#variants.set(place, variant)
    for (const [selector, linked] of this.#links) if (linked === old) this.#lead(selector, variant)
    this.#bytes += variant.size - old.size
  }

  /** Has what this request says lead to a variant. */
  link(request: HttpRequest, variant: Variant): void {
    const selector = this.selector(request)
    this.#unlink(selector)
    this.#lead(selector, variant)
    this.#bytes += LINK_OVERHEAD + selector.length
    if (this.#links.size > MOST_LINKS) this.#unlink(this.#links.keys().next().value!)
  }

  /** Drops the variants that a test says; whether there were any. */
  drop(test: (variant: Variant) => boolean): boolean {
    const before = this.#variants.size
    for (const [name, variant] of this.#variants) if (test(variant)) this.#remove(name)
    return this.#variants.size < before
  }

  #others(request: HttpRequest): string {
    let text = ''
    for (const name of this.#vary) {
      const value = request.headers.get(name)
      text += value === undefined ? `${name}\n` : `${name}=${normal(name, value)}\n`
    }
    return text
  }

  #remove(place: string): void {
    const variant = this.#variants.get(place)!
    this.#variants.delete(place)
    this.#bytes -= variant.size + place.length
    for (const [selector, linked] of this.#links) if (linked === variant) this.#unlink(selector)
  }

  #lead(selector: string, variant: Variant): void {
    this.#links.set(selector, variant)
    this.#forgetLast()
  }

  #unlink(selector: string): void {
    this.#forgetLast()
    if (this.#links.delete(selector)) this.#bytes -= LINK_OVERHEAD + selector.length
  }

  /** Also the variant: a reference to one that is no longer stored would keep its bytes in memory, uncounted. */
  #forgetLast(): void {
    this.#lastSelector = null
    this.#lastVariant = null
  }
}

const placeOf = (coding: string, others: string): string => `${coding}\n${others}`

/** A field as RFC 9111 section 4.1 lets it be compared: blanks between the members of a list mean nothing. */
function normal(name: string, value: string): string {
  const text = value.includes('"') ? value : value.replace(/[ \t]*([,;])[ \t]*/g, '$1')
  return CASELESS.has(name) ? text.toLowerCase() : text
}
