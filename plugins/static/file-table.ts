import { wallTime } from 'rawhttp'
import { areSettled, type Forms, formsOf } from './file-response.ts'
import { type Found, type FoundFile, find, type Place } from './find.ts'
import type { Rules } from './rules.ts'

/** Milliseconds for which what the disk said is taken as true. */
const TRUE_FOR = 1_000

/** Milliseconds after which who asks for a file has it checked for those who come later: a hot file is never waited for. */
const CHECK_AFTER = 750

/** Paths that are remembered. What is not a file is never among them, so that no scan fills the table. */
const LIMIT = 4_096

/** What answers for a path: a file in its forms, a redirect, a folder to be listed, or nothing here. */
export type Answer = ({ readonly kind: 'file' } & Forms) | Exclude<Found, FoundFile>

type Waiter = (error: Error | null, answer: Answer) => void

interface Entry {
  readonly file: FoundFile
  readonly isSettled: boolean
  readonly answer: { readonly kind: 'file' } & Forms
  /** Has the disk asked for those who come later. */
  readonly checkAhead: () => void
  /** When the disk was last asked; 0 when that holds no more, which ends its responses' `isCurrent` too. */
  checkedAt: number
}

/** The files that were asked for, each with the responses that its requests share. */
export class FileTable {
  readonly #place: Place
  readonly #rules: Rules
  readonly #limit: number
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new Map<string, Waiter[]>()

  constructor(place: Place, rules: Rules, limit = LIMIT) {
    this.#place = place
    this.#rules = rules
    this.#limit = limit
  }

  /**
   * The file at a path that was checked within the last second, else null. The hot path: nobody waits for the disk. One
   * that was changed just now may be changing still, as a log is: it is looked at for each request.
   */
  fresh(path: string): Forms | null {
    const entry = this.#entries.get(path)
    return entry?.isSettled === true && isFresh(entry) ? entry.answer : null
  }

  #checkAhead(path: string): void {
    if (!this.#waiting.has(path)) this.#ask(path, [])
  }

  /** Asks the disk; all who ask for one path at the same time share the one answer. */
  find(path: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(path)
    if (waiting === undefined) this.#ask(path, [waiter])
    else waiting.push(waiter)
  }

  #ask(path: string, waiters: Waiter[]): void {
    this.#waiting.set(path, waiters)
    const settle: Waiter = (error, answer) => {
      this.#waiting.delete(path)
      // Emptied: a table that the Map no longer uses may hold the list for long, and with it who waited.
      for (const each of waiters.splice(0)) each(error, answer)
    }
    this.#look(path).then(
      answer => settle(null, answer),
      error => settle(error, null),
    )
  }

  async #look(path: string): Promise<Answer> {
    const now = wallTime()
    const known = this.#entries.get(path)
    if (known !== undefined && (await isUnchanged(known))) return this.#keep(path, known, now)
    const found = await find(this.#place, path)
    if (known !== undefined && holds(known, found, now)) return this.#keep(path, known, now)
    this.#forget(path)
    return found?.kind === 'file' ? this.#keep(path, this.#entryOf(path, found, now), now) : found
  }

  #entryOf(path: string, file: FoundFile, now: number): Entry {
    // A file that was replaced since its check is not what its answers say: the next request looks again.
    const doubt = () => {
      entry.checkedAt = 0
    }
    const forms = formsOf(file, this.#place.root, this.#rules, now, doubt)
    const answer = { kind: 'file', ...forms } as const
    const checkAhead = () => this.#checkAhead(path)
    const entry: Entry = { file, isSettled: areSettled(file, now), answer, checkAhead, checkedAt: now }
    // One function for all forms: by it a cache knows them as forms of one file.
    const isCurrent = () => isFresh(entry)
    for (const response of [forms.plain, ...forms.coded.values()]) response.isCurrent = isCurrent
    return entry
  }

  /** Puts an entry last in line for eviction: one that is in use comes by here every second. */
  #keep(path: string, entry: Entry, now: number): Answer {
    entry.checkedAt = now
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    if (this.#entries.size > this.#limit) this.#forget(this.#entries.keys().next().value!)
    return entry.answer
  }

  #forget(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    entry.checkedAt = 0
    this.#entries.delete(path)
  }
}

// A clock that was set back makes an entry old, not fresh for ever.
function isFresh({ checkedAt, isSettled, checkAhead }: Entry): boolean {
  const age = wallTime() - checkedAt
  if (age < 0 || age >= TRUE_FOR) return false
  if (age >= CHECK_AFTER && isSettled) checkAhead()
  return true
}

/**
 * Whether the disk has all that an entry hung on as it was. One that is changing still may have become settled, and its
 * tag a strong one; one that came into doubt meanwhile may have changed behind the question.
 */
async function isUnchanged(entry: Entry): Promise<boolean> {
  if (!entry.isSettled || entry.checkedAt === 0) return false
  return (await entry.file.look.isUnchanged()) && entry.checkedAt !== 0
}

/** Whether an entry's responses are still the right ones; a weak tag is not, once it could be strong. */
function holds({ file, isSettled }: Entry, found: Found, now: number): boolean {
  return found?.kind === 'file' && found.look.isLike(file.look) && isSettled === areSettled(found, now)
}
