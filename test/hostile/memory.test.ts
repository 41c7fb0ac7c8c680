import { test } from 'vitest'
import { expectWell } from './expect-well.ts'
import { idleConnections } from './idle.ts'
import { slowDownload, slowUpload } from './transfers.ts'

const options = { timeout: 180_000 }
/** Full size allows 64 MB: beside other tests the collector comes later. */
const GROWTH = 200

test('1 GB that a handler reads slowly waits at the client', options, async () => {
  await expectWell(() => slowUpload(GROWTH))
})

test('1 GB that a client reads slowly is made no faster than it is read', options, async () => {
  await expectWell(() => slowDownload(GROWTH))
})

test('an idle connection costs at most 0.4 of what it does with node:http', options, async () => {
  await expectWell(() => idleConnections(4_000, 0.4))
})
