import { nextTurn } from '../next-turn.ts'

// Taken when the kit is loaded: a virtual clock that a test puts in its place must not hold up the kit.
const now = performance.now.bind(performance)

/** So many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

/** Whether a condition came true within `patience` milliseconds. It is looked at every turn: nothing has to tell. */
export async function comesTrue(condition: () => boolean, patience: number): Promise<boolean> {
  for (const until = now() + patience; !condition(); ) {
    if (now() > until) return false
    await nextTurn()
  }
  return true
}

/**
 * What a promise gives.
 *
 * @throws Error with the sentence, when it takes longer than `patience` milliseconds.
 */
export async function within<T>(promise: Promise<T>, patience: number, sentence: string): Promise<T> {
  let isSettled = false
  const settled = () => {
    isSettled = true
  }
  promise.then(settled, settled)
  if (await comesTrue(() => isSettled, patience)) return promise
  throw new Error(`${sentence} (waited for ${patience} ms)`)
}
