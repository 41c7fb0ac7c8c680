import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { Gates } from '../support/gates.ts'
import { get, post, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

describe('the answers of a pipeline', () => {
  test('leave in the order of the requests, however their handlers end', async () => {
    const gates = new Gates()
    await using served = await startServer({ plugins: [answering(gates.answer)] })
    await using client = await RawClient.connect(served.port)
    client.send(['/a', '/b', '/c', '/d'].map(path => get(path)).join(''))
    await gates.until(4)
    for (const path of ['/d', '/b', '/c', '/a']) gates.open(path)
    for (const path of ['/a', '/b', '/c', '/d']) expect((await client.response()).body.toString()).toBe(path)
  })

  test('leave one by one, as soon as those before them are out', async () => {
    const gates = new Gates()
    await using served = await startServer({ plugins: [answering(gates.answer)] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + get('/b') + get('/c'))
    gates.open('/b')
    gates.open('/a')
    expect((await client.response()).body.toString()).toBe('/a')
    expect((await client.response()).body.toString()).toBe('/b')
    expect(client.received).toBe('')
    gates.open('/c')
    expect((await client.response()).body.toString()).toBe('/c')
  })

  test('streams and bodies in and out keep to the order too', async () => {
    await using served = await startServer({
      plugins: [
        answering(async request => {
          if (request.method === 'GET') return HttpResponse.stream(twice(request.path))
          return HttpResponse.text(await request.body.text())
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + post('/', 'one') + get('/b') + post('/', 'two'))
    const bodies: string[] = []
    for (let i = 0; i < 4; i++) bodies.push((await client.response()).body.toString())
    expect(bodies).toEqual(['/a/a', 'one', '/b/b', 'two'])
  })

  test('an answer that closes cuts off those behind it, and their exchanges end', async () => {
    const gates = new Gates()
    await using served = await startServer({
      plugins: [
        answering(async request => (await gates.answer(request)) && HttpResponse.text(request.path).close()),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + get('/b'))
    await gates.until(2)
    gates.open('/a')
    expect(statuses(await client.rest())).toEqual([200])
    gates.open('/b')
    const ended = await served.untilEnded(2)
    expect(ended.map(({ request, outcome }) => [request.path, outcome.result])).toEqual([
      ['/a', 'sent'],
      ['/b', 'aborted'],
    ])
  })

  test('a body that breaks off before its turn is left out, and ends the connection behind those ahead of it', async () => {
    const gate = Promise.withResolvers<void>()
    const failed = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(({ path }) => {
          if (path === '/first') return gate.promise.then(() => HttpResponse.text('first'))
          return HttpResponse.stream(broken(failed))
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/first') + get('/broken'))
    await failed.promise
    await turns()
    expect(served.ended).toEqual([])
    gate.resolve()
    const bytes = await client.rest()
    expect(await client.closed).toBe('end')
    expect([statuses(bytes), bytes.endsWith('\r\n\r\nfirst')]).toEqual([[200], true])
    const ended = await served.untilEnded(2)
    const results = new Map(ended.map(({ request, outcome }) => [request.path, outcome.result]))
    expect(results).toEqual(
      new Map([
        ['/first', 'sent'],
        ['/broken', 'failed'],
      ]),
    )
  })

  test.each([
    ['in chunks', 'HTTP/1.1'],
    ['up to the end', 'HTTP/1.0'],
  ])('one %s that breaks off takes nothing of those before it along', async (_, version) => {
    const big = Buffer.alloc(200_000, 'b')
    await using served = await startServer({
      plugins: [
        answering(({ path }) =>
          path === '/big' ? HttpResponse.bytes(big) : HttpResponse.stream(breaking()),
        ),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.socket.pause()
    client.send(`${get('/big')}GET /broken ${version}\r\nHost: a\r\n\r\n`)
    const ended = await served.untilEnded(2)
    client.socket.resume()
    if (version === 'HTTP/1.1') expect((await client.response()).body.equals(big)).toBe(true)
    const results = ended.map(({ request, outcome }) => `${request.path} ${outcome.result}`)
    expect(results.sort()).toEqual(['/big sent', '/broken failed'])
    await client.closed
  })

  test('only the last one says that the connection closes', async () => {
    const gates = new Gates()
    await using served = await startServer({ plugins: [answering(gates.answer)] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + get('/b') + get('/c', 'Connection: close'))
    await gates.until(3)
    for (const path of ['/a', '/b', '/c']) gates.open(path)
    expect((await client.response()).field('connection')).toBeUndefined()
    expect((await client.response()).field('connection')).toBeUndefined()
    expect((await client.response()).field('connection')).toBe('close')
    expect(await client.closed).toBe('end')
  })

  test('a whole pipeline that waited behind its first answer goes out at once, however long it is', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      limits: { pipelineDepth: 20_000, writeBuffer: '64mb' },
      plugins: [
        answering(({ path }) =>
          path === '/first' ? gate.promise.then(() => HttpResponse.text('x')) : HttpResponse.text('x'),
        ),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/first') + get().repeat(14_998) + get('/last', 'Connection: close'))
    await turns(500)
    gate.resolve()
    expect(statuses(await client.rest())).toHaveLength(15_000)
  })

  test('are all cut short when the client leaves', async () => {
    const gates = new Gates()
    await using served = await startServer({ plugins: [answering(gates.answer)] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/a') + get('/b') + get('/c'))
    await gates.until(3)
    client.reset()
    for (const path of ['/b', '/c', '/a']) gates.open(path)
    const ended = await served.untilEnded(3)
    expect(ended.map(({ outcome }) => outcome.result)).toEqual(['aborted', 'aborted', 'aborted'])
  })

  test('of clients that do not read are not made ahead without bound', async () => {
    // The first answer is open and waits for its client; those behind it wait in memory.
    const body = Buffer.alloc(1_000_000)
    let handled = 0
    await using served = await startServer({
      plugins: [
        answering(({ path }) => {
          handled++
          return path === '/first' ? HttpResponse.stream(long()) : HttpResponse.bytes(body)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.socket.pause()
    client.send(get('/first') + get().repeat(1_000))
    await turns(500)
    expect(handled).toBeLessThanOrEqual(3)
  })

  async function* twice(text: string) {
    yield text
    yield text
  }

  async function* long() {
    for (let i = 0; i < 2_000; i++) yield Buffer.alloc(65_536)
  }

  async function* breaking() {
    yield 'part'
    await turns(3)
    throw new Error('the disk is gone')
  }

  async function* broken(failed: PromiseWithResolvers<void>) {
    // The head is given by then.
    await turns(3)
    failed.resolve()
    yield await Promise.reject<string>(new Error('the disk is gone'))
  }
})

test('an answer is not held up by a request that comes in pieces behind it', async () => {
  await using served = await startServer({
    plugins: [answering(async ({ path }) => HttpResponse.text(path))],
  })
  await using client = await RawClient.connect(served.port)
  client.send(`${get('/a')}GET /b HTTP/1.1\r\nHo`)
  expect((await client.response()).body.toString()).toBe('/a')
  client.send('st: a\r\nConnection: close\r\n\r\n')
  expect((await client.response()).body.toString()).toBe('/b')
  expect(statuses(await exchangeBytes(served.port, get('/', 'Connection: close')))).toEqual([200])
})
