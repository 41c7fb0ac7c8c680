import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { test } from 'vitest'
import { constant, ready, requestTo, Void } from './support.ts'

test('an answer with and without a cache', async ({ bench }) => {
  const kept = { 'cache-control': 'max-age=3600' }
  const bare = await ready({ plugins: [constant(kept)] })
  const plain = await ready({ plugins: [cache(), constant(kept)] })
  const encoded = await ready({ plugins: [compression(), cache(), constant(kept)] })
  const passing = await ready({ plugins: [cache(), constant({ 'cache-control': 'no-store' })] })
  // Asked once more, so that what is encoded for the store is there.
  await encoded.inject({ url: '/', headers: { 'accept-encoding': 'br' } })
  const once = (server: typeof bare) => () => server.dispatch(requestTo('/'), new Void())
  await bench.compare(
    bench('without a cache', once(bare)),
    bench('a hit', once(plain)),
    bench('a hit of a compressed answer', once(encoded)),
    bench('one that may not be stored', once(passing)),
  )
})
