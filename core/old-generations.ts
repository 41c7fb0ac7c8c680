import { DeadlineError, LONGEST_TIMER } from './deadlines.ts'
import type { Generation } from './generation.ts'

/** Generations that a reload has replaced, and that still have requests. */
export class OldGenerations {
  readonly #ends = new Map<Generation, Promise<void>>()

  get all(): readonly Generation[] {
    return [...this.#ends.keys()]
  }

  /**
   * Has a generation end with its last request.
   *
   * @param longest Milliseconds after which the requests that it has left are cut.
   */
  retire(old: Generation, longest: number): void {
    old.retire()
    const timer = setTimeout(cut, Math.min(longest, LONGEST_TIMER), old)
    timer.unref()
    const ended = old.idle().then(async () => {
      clearTimeout(timer)
      await old.stop('reload')
      old.kept.dispose()
      this.#ends.delete(old)
    })
    this.#ends.set(old, ended)
  }

  /** When all of them have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ends.values())
  }
}

/** What still runs in a generation that was replaced long ago is not waited for any longer. */
function cut(old: Generation): void {
  const message = `${old.pins} answers that began before a reload were cut: reload.oldStreams has passed`
  old.report({ code: 'OLD_STREAMS_CUT', message, severity: 'warning' })
  old.cut(new DeadlineError('reload.oldStreams passed'))
}
