import { AsyncResource } from 'node:async_hooks'
import { putOff } from './next-turn.ts'

/** What is waiting for the end of the turn leaves at once when so many are: their memory and their time are bounded. */
const MOST = 64
/** Milliseconds of work in one turn after which what waits for its end leaves first. */
const LONGEST = 1

/** Who has gathered something that is to leave. */
export interface Gathering {
  turnEnded(): void
}

/** One of them, and the async context of its request: who is told of its end looks for its own stores there. */
class Waiting extends AsyncResource {
  readonly #gathering: Gathering

  constructor(gathering: Gathering) {
    super('rawhttp.answer')
    this.#gathering = gathering
  }

  // What one throws must hold up neither the others nor who makes them leave: it fails by itself.
  leave(): void {
    try {
      this.runInAsyncScope(this.#gathering.turnEnded, this.#gathering)
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown
      })
    }
  }
}

let waiting: Waiting[] = []
let isScheduled = false
/** When the first of them began to be made, by the clock of whoever read for it. */
let since = 0

/**
 * Calls back when the event loop has read what had come, of this and other connections.
 *
 * Answers that leave one after another cost up to a third less than those that leave each behind its own request: the
 * processor does one thing at a time, and a client on the same machine is woken once and not for every answer.
 */
export function atTurnEnd(gathering: Gathering): void {
  // Not this one: it has only begun to gather.
  if (waiting.length >= MOST) release()
  waiting.push(new Waiting(gathering))
  if (isScheduled) return
  isScheduled = true
  putOff(endTurn)
}

/**
 * Somebody begins to answer what has come. Those who wait do not wait for that if they have waited for others already: a
 * handler that takes its time holds up none but what was made just before it.
 *
 * @param now Milliseconds, by any clock that only goes forward.
 */
export function beginsAt(now: number): void {
  if (waiting.length > 0 && now - since > LONGEST) release()
  if (waiting.length === 0) since = now
}

function endTurn(): void {
  isScheduled = false
  release()
}

function release(): void {
  const gathered = waiting
  waiting = []
  for (const one of gathered) one.leave()
}
