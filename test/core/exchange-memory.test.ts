import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HttpRequest, HttpResponse, type Plugins, type Sink } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { staticFiles } from 'rawhttp/plugins/static'
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

const later = (answer: HttpResponse) => new Promise<HttpResponse>(resolve => setImmediate(resolve, answer))
const storable = { headers: { 'cache-control': 'max-age=60' } }

/** Ways in which a request is answered. */
const ways: Readonly<Record<string, () => Plugins>> = {
  'at once': () => [answering(() => HttpResponse.text('x'))],
  'after a turn': () => [answering(() => later(HttpResponse.text('x')))],
  'for a cache': () => [cache(), answering(() => later(HttpResponse.text('x', storable)))],
  'when the disk was asked': () => [staticFiles({ root: import.meta.dirname })],
}

// A function in old space that holds a request lets the whole of it outlive every scavenge: collecting that took a
// quarter of the CPU time of a small answer. So does a table that a Map or Set has used before it grew.
test.each(Object.keys(ways))('a request that was answered %s is gone with the next scavenge', async way => {
  const { server, done } = await serve({ plugins: ways[way]!() })
  await server.inject()
  let count = 0
  const answered = async () => {
    const requests = Array.from({ length: 50 }, () => {
      const target = `/${count++}`
      const request = new HttpRequest({ method: 'GET', target, headers: { host: 'a' } })
      server.dispatch(request, new DeafSink())
      return new WeakRef(request)
    })
    await expect.poll(() => done.length, { interval: 5 }).toBe(requests.length)
    done.length = 0
    return requests
  }
  done.length = 0
  let left = 0
  // The first rounds may be kept by what the compiler has just seen.
  for (let round = 0; round < 5; round++) {
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
