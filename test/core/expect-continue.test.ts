import { type Config, type HttpRequest, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
const serve = (answer: Answer, limits: Config['limits'] = {}) =>
  startServer({ limits, plugins: [answering(answer)] })

const echo = async (asked: HttpRequest) => HttpResponse.text(await asked.body.text())
const expecting = (path: string, length: number) =>
  request('POST', path, [`Content-Length: ${length}`, 'Expect: 100-continue'])

describe('Expect: 100-continue', () => {
  test('100 goes out at the first pull, and not before', async () => {
    const gate = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    await using served = await serve(async asked => {
      began.resolve()
      await gate.promise
      return echo(asked)
    })
    await using client = await RawClient.connect(served.port)
    client.send(expecting('/', 5))
    await began.promise
    await turns(300)
    expect(client.received).toBe('')
    gate.resolve()
    expect((await client.response({ interim: true })).statusLine).toBe('HTTP/1.1 100 Continue')
    client.send('hello')
    expect((await client.response({ interim: true })).body.toString()).toBe('hello')
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('no 100 goes out behind the head of the answer, whoever pulls then', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(asked => HttpResponse.stream(late(asked, gate.promise)))
    await using client = await RawClient.connect(served.port)
    client.send(expecting('/', 5))
    const head = await client.until('1\r\na\r\n')
    gate.resolve()
    // The body is asked for, and nothing but the answer may say so.
    await turns(300)
    expect(client.received).toBe('')
    client.send('hello')
    const rest = await client.until('0\r\n\r\n')
    expect(statuses(head + rest)).toEqual([200])
    expect(rest).toBe('5\r\nhello\r\n0\r\n\r\n')
  })

  async function* late(asked: HttpRequest, gate: Promise<void>) {
    yield 'a'
    await gate
    yield* asked.body.stream()
  }

  test('100 of a later request waits for the answers before it', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(asked =>
      asked.method === 'GET' ? gate.promise.then(() => HttpResponse.text('first')) : echo(asked),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get() + expecting('/', 5))
    await turns(300)
    expect(client.received).toBe('')
    gate.resolve()
    expect((await client.response({ interim: true })).status).toBe(200)
    expect((await client.response({ interim: true })).status).toBe(100)
    client.send('hello')
    expect((await client.response()).body.toString()).toBe('hello')
  })

  test('a final answer without a pull goes out alone and ends the connection', async () => {
    await using served = await serve(() => HttpResponse.text('no', 403))
    const bytes = await exchangeBytes(served.port, expecting('/', 5))
    expect(statuses(bytes)).toEqual([403])
    expect(bytes).toContain('connection: close')
  })

  test('a length over the limit is 413 before any 100', async () => {
    await using served = await serve(echo, { bodyBytes: 4 })
    const bytes = await exchangeBytes(served.port, expecting('/', 5))
    expect(statuses(bytes)).toEqual([413])
    expect(bytes).toContain('the body is larger than 4 bytes')
  })

  test('a client that did not wait needs no 100', async () => {
    await using served = await serve(async asked => {
      await turns(1)
      return echo(asked)
    })
    await using client = await RawClient.connect(served.port)
    client.send(`${expecting('/', 5)}hel`)
    await turns(300)
    client.send(`lo${get('/', 'Connection: close')}`)
    expect(statuses(await client.rest())).toEqual([200, 200])
  })

  test('HTTP/1.0 has no such thing', async () => {
    await using served = await serve(echo)
    const head = 'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'
    await using client = await RawClient.connect(served.port)
    client.send(head)
    await turns(300)
    client.send('hello')
    expect(statuses(await client.rest())).toEqual([200])
  })

  test('another expectation is refused with 417 and the connection closed', async () => {
    await using served = await serve(echo)
    const message = request('POST', '/', ['Content-Length: 5', 'Expect: a-coffee'])
    const bytes = await exchangeBytes(served.port, `${message}hello${get()}`)
    expect(statuses(bytes)).toEqual([417])
    expect(served.ended.map(({ request: { refused } }) => refused?.id)).toEqual(['H1-EXPECT'])
  })
})
