/** How many hold the clock, one within the other. */
let holders = 0
/** What the wall clock said first while it is held; 0 while nobody has asked. */
let held = 0

/**
 * Milliseconds since 1970, like `Date.now()`, for who asks for every request: what one request runs at once is at one
 * moment, that of the first who has asked, so that the clock is read once for its arrival, the cache and the check of a
 * file. Behind an `await`, a timer or any other event, and for requests without a connection, it is the time it is.
 *
 * What comes behind a handler's own work should say `Date.now()`: a handler may take its time.
 */
export function wallTime(): number {
  if (holders === 0) return Date.now()
  if (held === 0) held = Date.now()
  return held
}

/** From here on {@link wallTime} is one moment, until {@link releaseWallTime}, which must follow whatever happens. */
export function holdWallTime(): void {
  holders++
}

export function releaseWallTime(): void {
  holders--
  held = 0
}
