/** When what was put off to the next turns of the event loop is done. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** A count, once it has not moved for many turns. Zero counts as not begun, unless `mayBeZero`. */
export async function steady(count: () => number, { mayBeZero = false } = {}): Promise<number> {
  for (let before = -1; before !== count() || (before === 0 && !mayBeZero); ) {
    before = count()
    await turns(300)
  }
  return count()
}
