const pending = new Set<{ readonly what: string }>()

/**
 * Waits for somebody else's promise, and knows meanwhile what it is: one that never settles would otherwise end the
 * process, or hold it, in silence.
 */
export async function awaiting<T>(what: string, work: () => T | PromiseLike<T>): Promise<T> {
  const settled = pend(what)
  try {
    return await work()
  } finally {
    settled()
  }
}

/** The same for what is told by a call. */
export function pend(what: string): () => void {
  const entry = { what }
  pending.add(entry)
  return () => void pending.delete(entry)
}

/** What is waited for now, in words, the innermost last. */
export const awaited = (): string[] => [...pending].map(({ what }) => what)
