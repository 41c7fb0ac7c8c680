import { readFileSync, realpathSync } from 'node:fs'

// An import would load all that node:crypto has, WebCrypto too: 8 ms of a start.
const { hash } = process.getBuiltinModule('node:crypto')

/** What one load of a config was made of: its files, and what each held. */
export class ModuleGraph {
  /** Counts the loads; 0 is the first. */
  readonly number: number
  /** The hash of each file; null for one that was missing. */
  readonly #files = new Map<string, string | null>()
  /** Paths that led to a file by way of a link, each with the file. */
  readonly #links = new Map<string, string>()
  #fingerprint = ''

  constructor(number: number) {
    this.number = number
  }

  /** Notes a file as it is now: before it is read, so that what is noted is never newer than what was loaded. */
  note(file: string): void {
    this.#files.set(file, hashOf(file))
  }

  /** Notes how a file was reached, if that was by a link, or that nothing was there. */
  noteWay(path: string, file: string | null): void {
    if (file === null) this.#files.set(path, null)
    else if (path !== file && realPath(path) === file) this.#links.set(path, file)
  }

  /** The load has ended. What is imported later is not in the {@link fingerprint}. */
  end(): void {
    this.#fingerprint = hash('sha256', JSON.stringify([...this.#files, ...this.#links].sort()), 'base64')
  }

  /** Equal for equal files; empty while it is loaded. */
  get fingerprint(): string {
    return this.#fingerprint
  }

  /** Its files, and the links to them. */
  get paths(): readonly string[] {
    return [...this.#files.keys(), ...this.#links.keys()]
  }

  /** What is no longer as it was noted. */
  changed(): string[] {
    const files = [...this.#files].filter(([file, known]) => hashOf(file) !== known)
    const links = [...this.#links].filter(([path, file]) => realPath(path) !== file)
    return [...files, ...links].map(([path]) => path)
  }
}

/** Null for what cannot be read: whoever needs the file says why. */
function hashOf(file: string): string | null {
  try {
    return hash('sha256', readFileSync(file), 'base64')
  } catch {
    return null
  }
}

/** The path without links, or null where nothing is. */
export function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
