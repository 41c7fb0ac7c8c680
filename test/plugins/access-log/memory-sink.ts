import type { Sink } from 'rawhttp'

/** A transport that takes everything and sends it nowhere. */
export function memorySink(): Sink {
  return {
    inform: () => undefined,
    head: () => undefined,
    write: () => true,
    end: () => undefined,
    reset: () => undefined,
    onDrain: null,
    onClose: null,
    bytes: 0,
  }
}
