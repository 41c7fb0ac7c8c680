import { HttpResponse } from 'rawhttp'
import { virtualClock } from 'rawhttp/testing'
import { describe, expect, test, vi } from 'vitest'
import { Gates } from '../support/gates.ts'
import { get, post, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { steady, turns } from '../support/turns.ts'

describe('pipelining', () => {
  test('a request may be cut anywhere', async () => {
    await using served = await startServer({
      plugins: [answering(async request => HttpResponse.text(await request.body.text()))],
    })
    await using client = await RawClient.connect(served.port)
    await client.sendSplit(post('/', 'hello') + post('/', 'world'), 1)
    expect((await client.response()).body.toString()).toBe('hello')
    expect((await client.response()).body.toString()).toBe('world')
  })

  test('100,000 requests at once are all answered, sync or not', async () => {
    const count = 50_000
    for (const mode of ['sync', 'async']) {
      const answer = HttpResponse.text('x')
      await using served = await startServer({
        plugins: [answering(mode === 'sync' ? () => answer : async () => answer)],
      })
      await using client = await RawClient.connect(served.port)
      let received = 0
      const whole = Promise.withResolvers<void>()
      client.socket.removeAllListeners('data')
      client.socket.on('data', (chunk: Buffer) => {
        for (let at = chunk.indexOf('HTTP/'); at !== -1; at = chunk.indexOf('HTTP/', at + 1)) received++
        if (received >= count) whole.resolve()
      })
      client.send(get().repeat(count))
      await whole.promise
      await served.untilEnded(count)
      expect(served.ended.filter(({ outcome }) => outcome.result === 'sent')).toHaveLength(count)
    }
  })

  test('others get their turn while one client sends request upon request', async () => {
    let answered = 0
    const counts: number[] = []
    await using served = await startServer({
      plugins: [
        answering(request => {
          if (request.path === '/other') counts.push(answered)
          else answered++
          return HttpResponse.text('x')
        }),
      ],
    })
    await using other = await RawClient.connect(served.port)
    await using flood = await RawClient.connect(served.port)
    flood.send(get().repeat(1_000))
    other.send(get('/other'))
    await other.response()
    await served.untilEnded(1_001)
    expect(counts[0]).toBeLessThan(1_000)
  })
})

describe('back-pressure within the chunk', () => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => get(`/${index}`)).join('')

  test('parsing stops at pipelineDepth open answers, and goes on as they leave', async () => {
    const gates = new Gates()
    await using served = await startServer({
      limits: { pipelineDepth: 8, headBytes: '64kb' },
      plugins: [answering(gates.answer)],
    })
    await using client = await RawClient.connect(served.port)
    client.send(thousand)
    await gates.until(8)
    await turns()
    expect(gates.arrived).toHaveLength(8)
    gates.open('/0')
    gates.open('/1')
    gates.open('/2')
    await gates.until(11)
    await turns()
    expect(gates.arrived).toHaveLength(11)
    for (let index = 3; index < 1_000; index++) gates.open(`/${index}`)
    for (let index = 0; index < 1_000; index++) {
      expect((await client.response()).body.toString()).toBe(`/${index}`)
    }
  })

  test('parsing stops when the client does not read, and goes on when it does', async () => {
    let handled = 0
    const body = 'x'.repeat(20_000)
    await using served = await startServer({
      limits: { writeBuffer: '64kb' },
      plugins: [
        answering(() => {
          handled++
          return HttpResponse.text(body)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.socket.pause()
    client.send(thousand)
    const stalled = await steady(() => handled)
    expect(stalled).toBeGreaterThan(0)
    expect(stalled).toBeLessThan(1_000)
    client.socket.resume()
    for (let index = 0; index < 1_000; index++) expect((await client.response()).body.length).toBe(20_000)
  })

  test('answers that wait for an earlier one count as well', async () => {
    const first = Promise.withResolvers<void>()
    let handled = 0
    const body = 'x'.repeat(20_000)
    await using served = await startServer({
      limits: { writeBuffer: '64kb', pipelineDepth: 1_000 },
      plugins: [
        answering(request => {
          handled++
          if (request.path === '/0') return first.promise.then(() => HttpResponse.text('first'))
          return HttpResponse.text(body)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(thousand)
    expect(await steady(() => handled)).toBeLessThanOrEqual(5)
    first.resolve()
    for (let index = 0; index < 1_000; index++) await client.response()
    expect(handled).toBe(1_000)
  })
})

describe('the last request of a connection', () => {
  test('requestsPerConnection ends it after so many, and answers all before', async () => {
    await using served = await startServer({
      limits: { requestsPerConnection: 3 },
      plugins: [answering(async request => HttpResponse.text(request.path))],
    })
    const bytes = await exchangeBytes(served.port, ['/a', '/b', '/c', '/d'].map(path => get(path)).join(''))
    expect(statuses(bytes)).toEqual([200, 200, 200])
    expect(bytes.match(/connection: close/g)).toHaveLength(1)
    expect(bytes.indexOf('connection: close')).toBeGreaterThan(bytes.indexOf('/b'))
    expect(served.ended.map(({ request }) => request.path)).toEqual(['/a', '/b', '/c'])
  })

  test.each([
    ['Connection: close', get('/last', 'Connection: close')],
    ['HTTP/1.0', 'GET /last HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['a message that is refused', 'GET /last HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n'],
    ['a path that is refused', get('/%00')],
    ['response.close()', get('/close')],
  ])('nothing behind %s is looked at, also while an earlier answer is open', async (_, last) => {
    const gate = Promise.withResolvers<void>()
    const handled: string[] = []
    await using served = await startServer({
      plugins: [
        answering(request => {
          handled.push(request.path)
          if (request.path === '/close') return HttpResponse.text('bye').close()
          if (request.path === '/smuggled') return HttpResponse.text('x')
          return gate.promise.then(() => HttpResponse.text('slow'))
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/slow') + last + get('/smuggled'))
    await turns()
    gate.resolve()
    const bytes = await client.rest()
    expect(statuses(bytes)).toHaveLength(2)
    expect(bytes).toContain('slow')
    expect(handled).not.toContain('/smuggled')
    expect(served.ended).toHaveLength(2)
  })

  test('an error in the middle of a pipeline swallows none of the answers before it', async () => {
    await using served = await startServer({
      plugins: [answering(async request => HttpResponse.text(request.path))],
    })
    const bytes = await exchangeBytes(served.port, `${get('/a')}${get('/b')}${get('/c')}BAD\r\n\r\n`)
    expect(statuses(bytes)).toEqual([200, 200, 200, 400])
    expect(bytes.match(/connection: close/g)).toHaveLength(1)
  })
})

describe('the time for a head', () => {
  test('a connection that says nothing is closed without a word', async () => {
    await using served = await startServer({ limits: { headTimeout: 100 } })
    await using client = await RawClient.connect(served.port)
    expect(await client.closed).toBe('end')
    expect(client.received).toBe('')
    expect(served.ended).toEqual([])
  })

  test('a connection that is idle between requests is closed after idleTimeout', async () => {
    await using served = await startServer({
      limits: { headTimeout: '20s', idleTimeout: 100 },
      plugins: [answering(() => HttpResponse.text('x'))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(200)
    expect(await client.closed).toBe('end')
    expect(client.received).toBe('')
  })

  test('idleTimeout does not run while an answer is open, nor headTimeout', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      limits: { headTimeout: 50, idleTimeout: 50, handlerTimeout: '20s' },
      plugins: [answering(() => gate.promise.then(() => HttpResponse.text('late')))],
    })
    await using client = await RawClient.connect(served.port)
    await using idle = await RawClient.connect(served.port)
    client.send(get())
    // When a connection that came later has been closed for its silence, twice over.
    await idle.closed
    await using again = await RawClient.connect(served.port)
    await again.closed
    gate.resolve()
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['late', undefined])
  })

  test('idleTimeout begins with the end of an answer, however long that took', async () => {
    using clock = virtualClock()
    const gate = Promise.withResolvers<HttpResponse>()
    const begun = Promise.withResolvers<void>()
    await using served = await startServer({
      limits: { idleTimeout: '10s', handlerTimeout: '60s' },
      plugins: [
        answering(({ path }) => {
          if (path !== '/late') return HttpResponse.text('soon')
          begun.resolve()
          return gate.promise
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/late'))
    await begun.promise
    await clock.advance(30_000)
    gate.resolve(HttpResponse.text('late'))
    expect((await client.response()).body.toString()).toBe('late')
    await clock.advance(9_000)
    client.send(get())
    expect((await client.response()).body.toString()).toBe('soon')
    const [late, soon] = await served.untilEnded(2)
    expect(late!.outcome.milliseconds).toBeGreaterThan(29_000)
    expect(soon!.outcome.milliseconds).toBeLessThan(1_000)
  })

  test('no time that is the client’s passes while a handler holds up the process', async () => {
    using clock = virtualClock()
    const passed = performance.now
    let held = 0
    using now = vi.spyOn(performance, 'now')
    now.mockImplementation(() => passed() + held)
    await using served = await startServer({
      limits: { headTimeout: '10s', idleTimeout: '10s' },
      plugins: [
        answering(({ path }) => {
          if (path === '/long') held += 30_000
          return HttpResponse.text(path)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/long'))
    expect((await client.response()).body.toString()).toBe('/long')
    await clock.advance(9_000)
    client.send(`${get('/long')}GET /half HTTP/1.1\r\nHo`)
    expect((await client.response()).body.toString()).toBe('/long')
    await clock.advance(9_000)
    client.send('st: a\r\n\r\n')
    expect((await client.response()).body.toString()).toBe('/half')
  })

  test('what is refused for its time was complete when it was refused', async () => {
    using clock = virtualClock()
    await using served = await startServer({ limits: { headTimeout: '10s' } })
    await using client = await RawClient.connect(served.port)
    client.send('GET / HTTP/1.1\r\nHo')
    await vi.waitUntil(() => served.server.stats.received > 0)
    await clock.advance(12_000)
    const [ended] = await served.untilEnded(1)
    expect(ended!.request.refused?.id).toBe('H1-HEAD-TIMEOUT')
    expect(ended!.outcome.milliseconds).toBeLessThan(1_000)
  })

  test('half of a later head gets a 408 behind the answer that is open', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      limits: { headTimeout: 100 },
      plugins: [answering(() => gate.promise.then(() => HttpResponse.text('first')))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(`${get()}GET /half HTTP/1.1\r\nHo`)
    expect((await served.untilReported('H1-HEAD-TIMEOUT')).severity).toBe('info')
    gate.resolve()
    expect(statuses(await client.rest())).toEqual([200, 408])
  })

  test('what comes of a head that was late already is no request', async () => {
    const gate = Promise.withResolvers<void>()
    const handled: string[] = []
    await using served = await startServer({
      limits: { headTimeout: 100 },
      plugins: [
        answering(async ({ path }) => {
          handled.push(path)
          if (path === '/slow') await gate.promise
          return HttpResponse.text(path)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(`${get('/slow')}GET /late HTTP/1.1\r\nHo`)
    await served.untilReported('H1-HEAD-TIMEOUT')
    client.send(`st: a\r\n\r\n${get('/behind')}`)
    await turns(300)
    gate.resolve()
    expect(statuses(await client.rest())).toEqual([200, 408])
    expect(handled).toEqual(['/slow'])
    expect(served.reports).toHaveLength(1)
  })
})
