import type { Visit } from './visit.ts'

/**
 * The requests of a site whose answers may still be stored: a list through the visits themselves. A Set would be made
 * anew every few requests, and each of a thousand sites keeps its own long enough for the collector to call it old.
 */
export class OpenVisits {
  #first: Visit | null = null

  add(visit: Visit): void {
    const next = this.#first
    visit.next = next
    if (next !== null) next.before = visit
    this.#first = visit
  }

  /** Takes out one that was added; of any other nothing comes. */
  delete(visit: Visit): void {
    const { before, next } = visit
    if (before !== null) before.next = next
    else if (this.#first === visit) this.#first = next
    if (next !== null) next.before = before
    visit.before = null
    visit.next = null
  }

  /** All of them, while some may be taken out. */
  all(): readonly Visit[] {
    const visits: Visit[] = []
    for (let visit = this.#first; visit !== null; visit = visit.next) visits.push(visit)
    return visits
  }
}
