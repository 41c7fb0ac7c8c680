/**
 * Header fields as they came: a read-only list in wire order, names in lower case. Reading is a linear scan, which
 * is faster than a Map for the number of fields that messages have.
 */
export class HttpHeaders implements Iterable<readonly [name: string, value: string]> {
  /** Name, value, name, value … */
  readonly #fields: readonly string[]

  constructor(fields: readonly string[]) {
    this.#fields = fields
  }

  /** The number of field lines. */
  get size(): number {
    return this.#fields.length / 2
  }

  /**
   * The value of a field, several lines joined as RFC 9110 section 5.3 says (`; ` for Cookie, RFC 9113 8.2.3).
   *
   * @param name In lower case.
   */
  get(name: string): string | undefined {
    const fields = this.#fields
    let found: string | undefined
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== name) continue
      const value = fields[i + 1]!
      found = found === undefined ? value : `${found}${name === 'cookie' ? '; ' : ', '}${value}`
    }
    return found
  }

  /** The values of each line of a field, in order. */
  getAll(name: string): string[] {
    const values: string[] = []
    for (let i = 0; i < this.#fields.length; i += 2)
      if (this.#fields[i] === name) values.push(this.#fields[i + 1]!)
    return values
  }

  has(name: string): boolean {
    for (let i = 0; i < this.#fields.length; i += 2) if (this.#fields[i] === name) return true
    return false
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (let i = 0; i < this.#fields.length; i += 2) yield [this.#fields[i]!, this.#fields[i + 1]!]
  }

  /** A plain object without prototype, for libraries that want one. Lines of one name are joined as in {@link get}. */
  toObject(): Record<string, string> {
    const object: Record<string, string> = Object.create(null)
    for (const [name] of this) object[name] ??= this.get(name)!
    return object
  }
}

/** Header fields as callers write them: pairs, an object, or anything that iterates as pairs. */
export type HeadersInit = Readonly<Record<string, string>> | Iterable<readonly [string, string]>

/** A flat list of lower-cased fields from what a caller wrote. */
export function flatFields(init: HeadersInit | undefined): string[] {
  if (init === undefined) return []
  const pairs = Symbol.iterator in init ? init : Object.entries(init)
  const fields: string[] = []
  for (const [name, value] of pairs as Iterable<readonly [string, string]>)
    fields.push(name.toLowerCase(), value)
  return fields
}
