import { test } from 'vitest'
import { byteByByte, halfCloses, unreadBodies } from './conversations.ts'
import { expectWell } from './expect-well.ts'
import { resets } from './resets.ts'

const options = { timeout: 120_000 }

test('a reset at any stage ends each request once, and the server lives', options, async () => {
  await expectWell(() => resets(20))
})

test('a client that ends its side behind the request gets its answer', options, async () => {
  await expectWell(() => halfCloses())
})

test('a conversation that comes byte by byte is answered like any other', options, async () => {
  await expectWell(() => byteByByte())
})

test('a body that nobody reads is drained up to a limit, then the connection closes', options, async () => {
  await expectWell(() => unreadBodies())
})
