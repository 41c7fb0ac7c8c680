import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HttpRequest, HttpResponse, type Sink } from 'rawhttp'
import { expect, test } from 'vitest'
import { serve } from '../support/in-memory.ts'
import { answering } from '../support/server.ts'
import { turns } from '../support/turns.ts'

/** A collection of young objects only, which is what goes on all the time under load. */
function scavenge(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')({ type: 'minor' })
}

class DeafSink implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  readonly bytes = 0
  inform(): void {}
  head(): void {}
  write(): boolean {
    return true
  }
  end(): void {
    this.onClose?.(null)
  }
  reset(): void {}
}

// A function in old space that holds a request lets the whole of it outlive every scavenge: collecting that took a
// quarter of the CPU time of a small answer.
test.each([
  ['at once', () => HttpResponse.text('x')],
  ['after a turn', () => new Promise<HttpResponse>(resolve => setImmediate(resolve, HttpResponse.text('x')))],
] as const)('a request that was answered %s is gone with the next scavenge', async (_when, answer) => {
  const { server, done } = await serve({ plugins: [answering(answer)] })
  await server.inject()
  const answered = async () => {
    const requests = Array.from({ length: 50 }, () => {
      const request = new HttpRequest({ method: 'GET', target: '/', headers: { host: 'a' } })
      server.dispatch(request, new DeafSink())
      return new WeakRef(request)
    })
    await expect.poll(() => done.length, { interval: 5 }).toBe(requests.length)
    done.length = 0
    return requests
  }
  done.length = 0
  let left = 0
  // The first round may be kept by what the compiler has just seen.
  for (let round = 0; round < 3; round++) {
    const requests = await answered()
    for (let i = 0; i < 2; i++) {
      // Not in the turn in which a weak reference was made.
      await turns()
      scavenge()
    }
    left = requests.filter(request => request.deref() !== undefined).length
  }
  expect(left).toBeLessThan(10)
})
