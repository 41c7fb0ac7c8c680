import { test } from 'vitest'
import { expectWell } from './expect-well.ts'
import { slowClients, smallSlow } from './slow.ts'
import type { SlowKind } from './slow-kinds.ts'

const attackers: Readonly<Record<SlowKind, string>> = {
  head: 'are late with their heads',
  body: 'are late with their bodies',
  reader: 'never read',
  waiter: 'keep a connection, or wait for a handler that never answers,',
}

for (const [kind, whoDo] of Object.entries(attackers)) {
  const sentence = `500 clients that ${whoDo} are cut in time, and an honest one beside them does not notice`
  test(sentence, { timeout: 120_000 }, async () => {
    await expectWell(() => slowClients(kind as SlowKind, smallSlow))
  })
}
