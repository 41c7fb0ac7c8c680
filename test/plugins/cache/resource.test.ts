import { HttpRequest, HttpResponse } from 'rawhttp'
import { expect, test } from 'vitest'
import { collect } from '../../../core/testing/garbage.ts'
import { Resource } from '../../../plugins/cache/resource.ts'
import { Variant } from '../../../plugins/cache/variant.ts'

const request = new HttpRequest({ method: 'GET', target: '/', headers: { host: 'localhost' } })
const verdict = { lifetime: null, isForAll: true, vary: [], variesByCoding: false }

/** A variant of 1 kB, and its bytes for as long as somebody holds them. */
function stored(resource: Resource): WeakRef<Buffer> {
  const bytes = Buffer.alloc(1_024)
  const variant = new Variant({ response: HttpResponse.bytes(bytes), bytes, verdict, tags: [], now: 0 })
  resource.add(request, variant, Number.POSITIVE_INFINITY)
  return new WeakRef(bytes)
}

/** References are held until the turn ends in which they were made or read. */
const afterTurn = () => new Promise(resolve => setImmediate(resolve))

test.each([
  ['replaced', (resource: Resource) => void stored(resource)],
  ['dropped', (resource: Resource) => void resource.drop(() => true)],
  [
    'forgotten for a finer choice',
    (resource: Resource) => resource.learn({ ...verdict, vary: ['accept-language'] }),
  ],
])('no variant that was %s is held, not even the one that was found last', async (_word, lose) => {
  const resource = new Resource('/')
  const bytes = stored(resource)
  expect(resource.find(resource.selector(request))).not.toBeNull()
  await afterTurn()
  collect()
  expect(bytes.deref()).toBeDefined()
  lose(resource)
  await afterTurn()
  collect()
  expect(bytes.deref()).toBeUndefined()
})
