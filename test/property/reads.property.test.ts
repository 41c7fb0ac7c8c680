import fc from 'fast-check'
import { HttpResponse } from 'rawhttp'
import { expect, test } from 'vitest'
import { post } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

// Sockets are read into memory that they share.
test('in whatever pieces and order clients send, each has back what it sent', async () => {
  await using served = await startServer({
    plugins: [answering(async ({ path, body }) => HttpResponse.text(`${path} ${await body.text()}`))],
  })
  const step = fc.record({ client: fc.nat(2), bytes: fc.integer({ min: 1, max: 60 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
      const clients = await Promise.all([0, 1, 2].map(() => RawClient.connect(served.port)))
      const left = clients.map((_, at) => [0, 1].map(n => post(`/${at}-${n}`, `${at}`.repeat(100))).join(''))
      for (const { client: at, bytes } of [
        ...steps,
        ...clients.map((_, client) => ({ client, bytes: 1_000 })),
      ]) {
        clients[at]!.send(left[at]!.slice(0, bytes))
        left[at] = left[at]!.slice(bytes)
        await turns(2)
      }
      for (const [at, client] of clients.entries()) {
        for (const n of [0, 1])
          expect((await client.response()).body.toString()).toBe(`/${at}-${n} ${`${at}`.repeat(100)}`)
        client.socket.destroy()
      }
    }),
    { numRuns: 60 },
  )
})
