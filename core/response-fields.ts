import { checkedName, checkValue, isRepresentationField } from './field-rules.ts'
import { HttpHeaders } from './headers.ts'

const OPEN = 0
/** The representation is finished: what fits it to one request may still be set. */
const DELIVERING = 1
const SEALED = 2

/**
 * The header fields of a response, and what of it may change when. A fork has lines of its own over those of its
 * base, which are never changed, so that one base serves any number of clients and its lines become bytes once.
 */
export class ResponseFields {
  #base: ResponseFields | null = null
  #lines: string[] = []
  /** Names of the base's lines that do not show. */
  #hidden: string[] | null = null
  #block: string | null = null
  #headers: HttpHeaders | null = null
  #phase = OPEN

  /** The header fields as they are now, in the order in which they were set. */
  get headers(): HttpHeaders {
    // No copy where others are below: then the list was made for this one.
    this.#headers ??= new HttpHeaders(this.#base === null ? [...this.#lines] : this.fields())
    return this.#headers
  }

  /**
   * Sets a field, in the place of all of that name.
   *
   * @throws TypeError for a name or value that cannot stand in a message, and for fields that belong to the kernel.
   */
  set(name: string, value: string): this {
    const field = this.#changing(name)
    checkValue(field, value)
    this.#mustGrow(field)
    this.#put(field, value)
    return this
  }

  /** Adds a field line beside others of that name, for example `Set-Cookie`. */
  append(name: string, value: string): this {
    const field = this.#changing(name)
    checkValue(field, value)
    this.#lines.push(field, value)
    this.#changed()
    return this
  }

  delete(name: string): this {
    const field = this.#changing(name)
    this.#mustGrow(field)
    this.#remove(field)
    return this
  }

  /** Adds names to Vary, each once (RFC 9110 section 12.5.5). */
  vary(...names: string[]): this {
    this.#changing('vary')
    const present = this.field('vary') === undefined ? '' : this.headers.get('vary')!
    // The one name of most answers needs no list.
    const value = present === '' && names.length === 1 ? names[0]! : varyOf(present, names)
    if (value === '') return this
    checkValue('vary', value)
    this.#put('vary', value)
    return this
  }

  /** @internal */
  get isSealed(): boolean {
    return this.#phase === SEALED
  }

  /** @internal No change from here on. */
  seal(): this {
    this.#phase = SEALED
    return this
  }

  /** @internal The representation is finished; only fields for this request may still be set. */
  deliver(): this {
    if (this.#phase === OPEN) this.#phase = DELIVERING
    return this
  }

  /** @internal Name, value, name, value … */
  fields(): readonly string[] {
    if (this.#base === null) return this.#lines
    const inherited = this.#base.fields()
    if (this.#hidden === null) return this.#lines.length === 0 ? inherited : [...inherited, ...this.#lines]
    const hidden = this.#hidden
    const kept: string[] = []
    for (let i = 0; i < inherited.length; i += 2) {
      if (!hidden.includes(inherited[i]!)) kept.push(inherited[i]!, inherited[i + 1]!)
    }
    kept.push(...this.#lines)
    return kept
  }

  /** @internal The first value of a field. */
  field(name: string): string | undefined {
    const inherited = this.#hidden?.includes(name) === true ? undefined : this.#base?.field(name)
    if (inherited !== undefined) return inherited
    const own = this.#lines
    for (let i = 0; i < own.length; i += 2) if (own[i] === name) return own[i + 1]
    return undefined
  }

  /** @internal The field lines as bytes of a message; kept, so that a base's are made once. */
  block(): string {
    if (this.#block !== null) return this.#block
    const text =
      this.#base !== null && this.#hidden === null
        ? this.#base.block() + lines(this.#lines)
        : lines(this.fields())
    this.#block = text
    return text
  }

  /** @internal The lines beside those of the base, flat; null when some of the base's do not show. */
  get ownLines(): readonly string[] | null {
    return this.#hidden === null ? this.#lines : null
  }

  /** @internal The response that this one is a fork of. */
  get base(): this | null {
    return this.#base as this | null
  }

  /** @internal These fields are over those of a base from now on. */
  protected over(base: ResponseFields): void {
    this.#base = base
  }

  /** @internal @throws TypeError when nothing of the response may change any more. */
  protected mustBeOpen(what: string): void {
    if (this.#phase !== SEALED) return
    throw new TypeError(
      `${what} cannot change: this response was already given as an answer; taps change the fork they get`,
    )
  }

  /** @internal @throws TypeError when the representation may not change any more. */
  protected mustBeUnfinished(what: string): void {
    this.mustBeOpen(what)
    if (this.#phase !== DELIVERING) return
    throw new TypeError(`${what} cannot change in deliver: the representation is finished; use transform`)
  }

  #changing(name: string): string {
    const field = checkedName(name)
    if (this.#phase === OPEN) return field
    if (isRepresentationField(field)) this.mustBeUnfinished(field)
    else this.mustBeOpen(field)
    return field
  }

  // A cache must hear of everything that an answer was chosen by, so that what others have said may not go.
  #mustGrow(field: string): void {
    if (field !== 'vary' || this.#phase !== DELIVERING || this.field('vary') === undefined) return
    throw new TypeError('vary may only grow in deliver; use response.vary()')
  }

  #changed(): void {
    this.#block = null
    this.#headers = null
  }

  #put(field: string, value: string): void {
    this.#remove(field)
    this.#lines.push(field, value)
  }

  #remove(field: string): void {
    this.#changed()
    const own = this.#lines
    for (let i = own.length - 2; i >= 0; i -= 2) if (own[i] === field) own.splice(i, 2)
    if (this.#base === null || this.#hidden?.includes(field)) return
    if (this.#base.field(field) === undefined) return
    if (this.#hidden === null) this.#hidden = [field]
    else this.#hidden.push(field)
  }
}

/** What Vary says and more names, each once; empty when nothing is to be changed. */
function varyOf(present: string, names: readonly string[]): string {
  const listed = present === '' ? [] : present.split(/\s*,\s*/)
  const known = new Set(listed.map(name => name.toLowerCase()))
  if (known.has('*')) return ''
  for (const name of names) {
    if (known.has(name.toLowerCase())) continue
    known.add(name.toLowerCase())
    listed.push(name)
  }
  return listed.join(', ')
}

function lines(fields: readonly string[]): string {
  let text = ''
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`
  return text
}
