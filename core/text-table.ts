/** A text, what belongs to it, and the next one of its bucket. */
class Cell<T> {
  readonly text: string
  value: T
  next: Cell<T> | null

  constructor(text: string, value: T, next: Cell<T> | null) {
    this.text = text
    this.value = value
    this.next = next
  }
}

/**
 * A Map for texts that a config or a developer has chosen, such as hosts and segments of routes, asked with texts that
 * clients send. V8 has a Map look up each text that was cut out of a message in its table of all strings first; with a
 * thousand sites that table is not in the processor's caches, and half a microsecond goes by.
 *
 * What clients choose does not belong in it as a key: they could choose texts that collide.
 */
export class TextTable<T> {
  #size = 0
  #buckets: (Cell<T> | null)[] = [null]

  /** How many texts it has. */
  get size(): number {
    return this.#size
  }

  /** What belongs to a text, compared by its UTF-16 code units; `undefined` where it was never set. */
  get(text: string): T | undefined {
    return this.#find(text)?.value
  }

  /** Has a value belong to a text, in the place of the one before. The table itself is returned, as a Map's is. */
  set(text: string, value: T): this {
    const known = this.#find(text)
    if (known !== null) {
      known.value = value
      return this
    }
    if (this.#size === this.#buckets.length) this.#grow()
    this.#put(new Cell(text, value, null))
    this.#size++
    return this
  }

  #find(text: string): Cell<T> | null {
    let cell = this.#buckets[placeOf(text, this.#buckets.length)] ?? null
    while (cell !== null && !isSame(cell.text, text)) cell = cell.next
    return cell
  }

  #put(cell: Cell<T>): void {
    const place = placeOf(cell.text, this.#buckets.length)
    cell.next = this.#buckets[place] ?? null
    this.#buckets[place] = cell
  }

  #grow(): void {
    const before = this.#buckets
    this.#buckets = Array.from({ length: before.length * 2 }, () => null)
    for (const first of before) {
      let cell = first
      while (cell !== null) {
        const { next } = cell
        this.#put(cell)
        cell = next
      }
    }
  }
}

function placeOf(text: string, buckets: number): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash, 31) + text.charCodeAt(at)
  return hash & (buckets - 1)
}

// By characters: to compare with a text that is a part of another one, V8 calls its runtime.
function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a.charCodeAt(at) !== b.charCodeAt(at)) return false
  return true
}
