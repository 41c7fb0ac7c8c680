import { HttpResponse } from 'rawhttp'
import { test } from 'vitest'
import { headText } from '../../../core/head-bytes.ts'

const facts = { minor: 1, isHead: false, length: 1_024, keepAlive: true } as const
const fields = { etag: '"sg-bzk0gr9x2io0"', 'cache-control': 'no-cache', vary: 'accept-encoding' }
const base = HttpResponse.text('x'.repeat(1_024), { headers: fields }).seal()

test('the head of an answer', async ({ bench }) => {
  await bench.compare(
    bench('of one that many get', () => void headText(base, facts)),
    bench('of a fork without changes', () => void headText(base.fork(), facts)),
    bench('of a fork with a field of its own', () => void headText(base.fork().set('x-id', 'a1b2'), facts)),
    bench(
      'of one that is made anew',
      () => void headText(HttpResponse.text('x', { headers: fields }), facts),
    ),
  )
})
