import { stat } from 'node:fs/promises'

/**
 * What was made of some files, and is made anew when they change. The old value stays until a whole new one is
 * there.
 *
 * Files are asked for their state, not watched: a link that is pointed elsewhere, as certbot and Kubernetes do it,
 * is an event on no file.
 */
export class Watched<T> {
  readonly #files: readonly string[]
  readonly #load: () => Promise<T>
  #stamps: string
  #value: T
  #failure: Error | null = null

  private constructor(files: readonly string[], load: () => Promise<T>, stamps: string, value: T) {
    this.#files = files
    this.#load = load
    this.#stamps = stamps
    this.#value = value
  }

  /** @throws what `load` throws. */
  static async open<T>(files: readonly string[], load: () => Promise<T>): Promise<Watched<T>> {
    // The state before the content: a change in between shows at the next look.
    const stamps = await stampsOf(files)
    return new Watched(files, load, stamps, await load())
  }

  get value(): T {
    return this.#value
  }

  /**
   * Looks at the files. A load that failed is tried again at every look, since certificate and key are seldom
   * written in one go.
   *
   * @returns `same`, `new`, or the error with which a load failed; each error is given once.
   */
  async look(): Promise<'same' | 'new' | Error> {
    const stamps = await stampsOf(this.#files)
    if (stamps === this.#stamps && this.#failure === null) return 'same'
    this.#stamps = stamps
    try {
      this.#value = await this.#load()
      this.#failure = null
      return 'new'
    } catch (thrown) {
      return this.#failed(thrown as Error)
    }
  }

  #failed(error: Error): 'same' | Error {
    const isKnown = this.#failure?.message === error.message
    this.#failure = error
    return isKnown ? 'same' : error
  }
}

async function stampsOf(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(stampOf))).join(' ')
}

async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true })
    return `${dev}:${ino}:${size}:${mtimeNs}`
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
