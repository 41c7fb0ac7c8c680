import { Connect, HttpResponse, type ServerStats } from 'rawhttp'
import { expect, test } from 'vitest'
import { onServer } from '../support/in-memory.ts'
import { layer, owner } from '../support/layers.ts'
import { get, post } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { steady, turns } from '../support/turns.ts'

test('a server and its plugins see the same numbers', async () => {
  let seen: ServerStats | undefined
  const plugin = onServer('seeing', server => {
    seen = server.stats
  })
  await using served = await startServer({ plugins: [plugin] })
  expect(seen).toBe(served.server.stats)
})

test('connections are counted while they are open, when they are taken and when they are turned away', async () => {
  await using served = await startServer({ limits: { maxConnections: 2, connectionsPerClient: 1 } })
  const { stats } = served.server
  await using first = await RawClient.open({ port: served.port, host: '127.0.0.1' })
  await using again = await RawClient.connect(served.port)
  await again.closed
  await using second = await RawClient.open({
    port: served.port,
    host: '127.0.0.1',
    localAddress: '127.0.0.2',
  })
  await using third = await RawClient.open({
    port: served.port,
    host: '127.0.0.1',
    localAddress: '127.0.0.3',
  })
  await third.closed
  expect([stats.connections, stats.accepted]).toEqual([2, 2])
  expect(stats.refused).toEqual({ maxConnections: 1, connectionsPerClient: 1 })
  first.reset()
  while (stats.connections > 1) await turns(1)
  expect([stats.connections, stats.accepted]).toEqual([1, 2])
  second.reset()
})

test('bytes are counted for open connections and for those that are gone', async () => {
  const text = answering(async ({ body }) => HttpResponse.text(await body.text()))
  await using served = await startServer({ plugins: [text] })
  const { stats } = served.server
  await using client = await RawClient.connect(served.port)
  const message = post('/', 'x'.repeat(5_000))
  client.send(message)
  const { body } = await client.response()
  const [received, sent] = [await steady(() => stats.received), await steady(() => stats.sent)]
  expect(received).toBe(message.length)
  expect(sent).toBeGreaterThan(body.length)
  expect(sent).toBeLessThan(body.length + 500)
  client.end()
  while (stats.connections > 0) await turns(1)
  expect([stats.received, stats.sent]).toEqual([received, sent])
})

test('requests are counted while they are open, also in an old generation', async () => {
  const gate = Promise.withResolvers<void>()
  const slow = answering(async () => {
    await gate.promise
    return HttpResponse.text('late')
  })
  await using served = await startServer({ plugins: [slow] })
  const { stats } = served.server
  expect([stats.requests, stats.generations]).toEqual([0, 1])
  const [one, two] = [served.server.inject(), served.server.inject()]
  await turns()
  expect([stats.requests, stats.generations]).toEqual([2, 1])
  await served.server.reload({ listen: [{ port: 0 }], plugins: [slow] })
  expect([stats.requests, stats.generations]).toEqual([2, 2])
  gate.resolve()
  await Promise.all([one, two])
  await turns()
  expect([stats.requests, stats.generations]).toEqual([0, 1])
})

test('a stream that a plugin has is a connection, and no request', async () => {
  const held = Promise.withResolvers<void>()
  const holds = layer('holds', Connect.Secure, () => {
    held.resolve()
    return owner('holds')
  })
  await using served = await startServer({ plugins: [holds] })
  await using client = await RawClient.connect(served.port)
  await held.promise
  const { stats } = served.server
  expect([stats.connections, stats.requests]).toEqual([1, 0])
  client.reset()
})

test('bodyBytes are those of a body that somebody reads, as they came', async () => {
  const reads = answering(async ({ path, body }) =>
    path === '/read' ? HttpResponse.text(await body.text()) : HttpResponse.text('unread'),
  )
  await using served = await startServer({ plugins: [reads] })
  await using client = await RawClient.connect(served.port)
  client.send(post('/read', 'hello') + get('/none'))
  await served.untilEnded(2)
  expect(served.ended.map(({ request }) => request.bodyBytes)).toEqual([5, 0])
})
