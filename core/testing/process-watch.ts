import { AsyncLocalStorage } from 'node:async_hooks'
import { asError } from '../errors.ts'

/** Failures that nobody caught, by the event that tells the process of them. */
const events = ['unhandledRejection', 'uncaughtException'] as const

const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const

type Listener = (...args: unknown[]) => void

/**
 * Notes what goes past everybody: promises that are rejected and errors that are thrown with nobody to catch them, and
 * what is written to the console. While it watches nobody else is told of failures, so that a test runner does not end
 * the run; what the runner itself writes meanwhile goes its way.
 */
export class ProcessWatch {
  readonly failures: string[] = []
  readonly written: string[] = []
  readonly #restore: (() => void)[] = []

  readonly #context = new AsyncLocalStorage<ProcessWatch>()

  /** Watches over some work, and puts everything back as it was. */
  async during(work: () => Promise<void>): Promise<void> {
    for (const event of events) this.#catch(event)
    for (const stream of [process.stdout, process.stderr]) this.#note(stream, 'write', true)
    for (const method of methods) this.#note(console, method, undefined)
    try {
      await this.#context.run(this, work)
    } finally {
      for (const restore of this.#restore.splice(0)) restore()
    }
  }

  #catch(event: (typeof events)[number]): void {
    const others = process.rawListeners(event as 'uncaughtException') as Listener[]
    const own: Listener = reason => void this.failures.push(`${sentences[event]}: ${textOf(reason)}`)
    process.removeAllListeners(event)
    process.on(event, own)
    this.#restore.push(() => {
      process.off(event, own)
      for (const other of others) process.on(event, other)
    })
  }

  /** @param answer What a caller gets. */
  #note<Name extends string>(
    target: Record<Name, (...args: never[]) => unknown>,
    method: Name,
    answer: true | undefined,
  ): void {
    const original = target[method]
    const noting = (...args: unknown[]) => {
      if (this.#context.getStore() !== this) return Reflect.apply(original, target, args)
      this.written.push(String(args[0]).trimEnd())
      // Who waits for a write to be done must not wait for ever.
      const callback = args.at(-1)
      if (answer === true && typeof callback === 'function') queueMicrotask(() => callback())
      return answer
    }
    target[method] = noting as typeof original
    this.#restore.push(() => {
      target[method] = original
    })
  }
}

const sentences: Readonly<Record<(typeof events)[number], string>> = {
  unhandledRejection: 'a promise was rejected and nobody caught it',
  uncaughtException: 'an error was thrown where nobody could catch it',
}

/** An error with the place that it comes from. */
function textOf(thrown: unknown): string {
  const { message, stack = '' } = asError(thrown)
  const place = /^ {4}at .*$/m.exec(stack)?.[0].trim() ?? ''
  return place === '' ? message : `${message} (${place})`
}
