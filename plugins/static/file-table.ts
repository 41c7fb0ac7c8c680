import type { HttpResponse } from 'rawhttp'
import { type Found, type FoundFile, findFile, isSameFile, type Place, statAgain } from './disk.ts'
import { fileResponse, isSettled } from './file-response.ts'

/** Milliseconds for which what the disk said is taken as true. */
const TRUE_FOR = 1_000

/** Paths that are remembered. What is not a file is never among them, so that no scan fills the table. */
const LIMIT = 4_096

/** What answers for a path: a file's response, the redirect to a folder, or nothing here. */
export type Answer = HttpResponse | 'folder' | null

type Waiter = (error: Error | null, answer: Answer) => void

interface Entry {
  readonly file: FoundFile
  readonly isStrong: boolean
  readonly response: HttpResponse
  /** When the disk was last asked; 0 when that holds no more, which ends its response's `isCurrent` too. */
  checkedAt: number
}

/** The files that were asked for, each with the one response that its requests share. */
export class FileTable {
  readonly #place: Place
  readonly #limit: number
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new Map<string, Waiter[]>()

  constructor(place: Place, limit = LIMIT) {
    this.#place = place
    this.#limit = limit
  }

  /** The response for a path that was checked within the last second, else null. The hot path: no system call. */
  fresh(path: string): HttpResponse | null {
    const entry = this.#entries.get(path)
    return entry !== undefined && isFresh(entry) ? entry.response : null
  }

  /** Asks the disk; all who ask for one path at the same time share the one answer. */
  find(path: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(path)
    if (waiting === undefined) this.#ask(path, [waiter])
    else waiting.push(waiter)
  }

  /** Has the disk asked again at the next request: what it said before has proved wrong. */
  doubt(path: string): void {
    const entry = this.#entries.get(path)
    if (entry !== undefined) entry.checkedAt = 0
  }

  #ask(path: string, waiters: Waiter[]): void {
    this.#waiting.set(path, waiters)
    const settle: Waiter = (error, answer) => {
      this.#waiting.delete(path)
      for (const each of waiters) each(error, answer)
    }
    this.#look(path).then(
      answer => settle(null, answer),
      error => settle(error, null),
    )
  }

  async #look(path: string): Promise<Answer> {
    const now = Date.now()
    const known = this.#entries.get(path)
    if (known !== undefined && (await isUnchanged(known, now))) return this.#keep(path, known, now)
    const found = await findFile(this.#place, path)
    if (known !== undefined && holds(known, found, now)) return this.#keep(path, known, now)
    this.#forget(path)
    if (found === null || found === 'folder') return found
    return this.#keep(path, entryOf(found, now), now)
  }

  /** Puts an entry last in line for eviction: one that is in use comes by here every second. */
  #keep(path: string, entry: Entry, now: number): HttpResponse {
    entry.checkedAt = now
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    if (this.#entries.size > this.#limit) this.#forget(this.#entries.keys().next().value!)
    return entry.response
  }

  #forget(path: string): void {
    this.doubt(path)
    this.#entries.delete(path)
  }
}

function entryOf(file: FoundFile, now: number): Entry {
  const response = fileResponse(file, now)
  const entry: Entry = { file, isStrong: isSettled(file.stats, now), response, checkedAt: now }
  response.isCurrent = () => isFresh(entry)
  return entry
}

// A clock that was set back makes an entry old, not fresh for ever.
function isFresh(entry: Entry): boolean {
  const age = Date.now() - entry.checkedAt
  return age >= 0 && age < TRUE_FOR
}

/** One stat, for an entry that nothing new could displace. */
async function isUnchanged(entry: Entry, now: number): Promise<boolean> {
  if (!entry.file.isFirstChoice) return false
  const stats = await statAgain(entry.file)
  return stats !== null && holds(entry, { ...entry.file, stats }, now)
}

/** Whether an entry's response is still the right one; a weak tag is not, once it could be strong. */
function holds({ file, isStrong }: Entry, found: Found, now: number): boolean {
  if (found === null || found === 'folder') return false
  return (
    found.real === file.real && isSameFile(found.stats, file.stats) && isStrong === isSettled(file.stats, now)
  )
}
