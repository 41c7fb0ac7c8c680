const none: readonly never[] = []

/**
 * An empty list for what a request needs. V8 learns for each array or object literal how long what it makes lives, and
 * a cold server, whose first requests all wait for the disk, teaches it that requests live for long: from then on it
 * makes them among what is old, where only a mark-compact finds them. A copy belongs to no literal, and neither does an
 * instance of a class.
 */
export function shortList<T>(): T[] {
  return none.slice()
}
