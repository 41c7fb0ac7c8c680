/** How many hold the clock, one within the other. */
let holders = 0
/** What the wall clock said first while it is held; 0 while nobody has asked. */
let held = 0

/**
 * Milliseconds since 1970, like `Date.now()`. While the kernel has answered what came in one piece the clock is held: it
 * is read once for all that is said of those requests in that turn, and not again for each field, log line and look at a
 * cache. What runs after an `await`, a timer or any other event gets the time it is.
 */
export function wallTime(): number {
  if (holders === 0) return Date.now()
  if (held === 0) held = Date.now()
  return held
}

/** From here on {@link wallTime} is one moment, until {@link releaseWallTime}. */
export function holdWallTime(): void {
  holders++
}

export function releaseWallTime(): void {
  holders--
  held = 0
}
