import { beforeAll, onTestFinished } from 'vitest'

type End = () => void

/** What is to be undone with the block whose tests have it in common; null while it is made for one test. */
let common: End[] | null = null

/** Undoes something when the test is over, or the last one of those that have it {@link inCommon}. */
export function whenOver(end: End): void {
  if (common === null) onTestFinished(end)
  else common.push(end)
}

/** What takes long to make: once for all tests of the block. Each has to leave it as the next one may find it. */
export function inCommon<T>(make: () => Promise<T>): () => T {
  let made: T
  beforeAll(async () => {
    const ends: End[] = []
    const undo = () => {
      for (const end of ends.splice(0).reverse()) end()
    }
    common = ends
    try {
      made = await make()
    } catch (error) {
      undo()
      throw error
    } finally {
      common = null
    }
    return undo
  }, 30_000)
  return () => made
}
