import { type Config, Connect, definePlugin, type HttpRequest, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { chunked, get, post, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { steady, turns } from '../support/turns.ts'

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
const serve = (answer: Answer, limits: Config['limits'] = {}) =>
  startServer({ limits, plugins: [answering(answer)] })

const echo = async (asked: HttpRequest) => HttpResponse.text(await asked.body.text())

describe('a body', () => {
  test.each([
    ['with a length', post('/', 'hello')],
    ['in chunks', chunked('/', ['he', 'l', 'lo'])],
  ])('%s reaches the handler, and the connection lives on', async (_, message) => {
    await using served = await serve(echo)
    await using client = await RawClient.connect(served.port)
    for (let round = 0; round < 2; round++) {
      client.send(message)
      expect((await client.response()).body.toString()).toBe('hello')
    }
  })

  test('has its trailers when it has been read to the end', async () => {
    await using served = await serve(async asked => {
      const before = asked.trailers.size
      await asked.body.bytes()
      return HttpResponse.json([before, ...asked.trailers])
    })
    await using client = await RawClient.connect(served.port)
    client.send(chunked('/', ['abc'], ['X-Sum: 1', 'X-Other: 2']))
    expect((await client.response()).body.toString()).toBe('[0,["x-sum","1"],["x-other","2"]]')
  })

  test('flows through to the answer as it comes', async () => {
    await using served = await serve(asked => HttpResponse.stream(asked.body.stream()))
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\none\r\n`)
    expect(await client.until('3\r\none\r\n')).toContain('200 OK')
    client.send('3\r\ntwo\r\n0\r\n\r\n')
    expect(await client.until('0\r\n\r\n')).toBe('3\r\ntwo\r\n0\r\n\r\n')
    client.send(post('/', 'again'))
    expect((await client.response()).body.toString()).toBe('again')
  })

  test('comes only as fast as the handler reads it', async () => {
    const size = 30_000_000
    const gate = Promise.withResolvers<void>()
    await using served = await serve(
      async asked => {
        let total = 0
        for await (const piece of asked.body.stream()) {
          total += piece.length
          await gate.promise
        }
        return HttpResponse.text(String(total))
      },
      { bodyBytes: 0 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(request('POST', '/', [`Content-Length: ${size}`]))
    client.send(Buffer.alloc(size, 'x'))
    // What the kernels' buffers and one read ahead take; the rest waits in the client.
    const sent = await steady(() => size - unsent(client))
    expect(sent).toBeLessThan(size)
    gate.resolve()
    expect((await client.response()).body.toString()).toBe(String(size))
  })

  test('that a handler never asks for stays with the client', async () => {
    const size = 30_000_000
    const gate = Promise.withResolvers<void>()
    await using served = await serve(async () => {
      await gate.promise
      return HttpResponse.text('unread')
    })
    await using client = await RawClient.connect(served.port)
    client.send(request('POST', '/', [`Content-Length: ${size}`]))
    client.send(Buffer.alloc(size, 'x'))
    expect(await steady(() => size - unsent(client))).toBeLessThan(size)
    gate.resolve()
    const response = await client.response()
    expect([response.status, response.field('connection')]).toEqual([200, 'close'])
  })

  const unsent = ({ socket }: RawClient): number =>
    (socket as unknown as { _handle: { writeQueueSize: number } })._handle.writeQueueSize
})

describe('a body that is too large', () => {
  test('in chunks is 413 as soon as it is over the limit', async () => {
    await using served = await serve(echo, { bodyBytes: 10 })
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}b\r\nhello world\r\n`)
    const response = await client.response()
    expect([response.status, response.field('connection')]).toEqual([413, 'close'])
    expect(await client.closed).toBe('end')
  })

  test('with a raised limit is taken', async () => {
    await using served = await serve(
      asked => {
        asked.limits.bodyBytes = 11
        return echo(asked)
      },
      { bodyBytes: 10 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello world'))
    expect((await client.response()).body.toString()).toBe('hello world')
  })
})

describe('a body that nobody read', () => {
  test.each([
    ['with its head', true],
    ['after the answer', false],
  ])('is dropped up to drainBytes, when it comes %s, and the connection lives on', async (_, together) => {
    await using served = await serve(() => HttpResponse.text('unread'), { drainBytes: 100 })
    await using client = await RawClient.connect(served.port)
    const message = post('/', 'x'.repeat(100))
    client.send(together ? message : message.slice(0, -50))
    expect((await client.response()).field('connection')).toBeUndefined()
    client.send((together ? '' : 'x'.repeat(50)) + get())
    expect((await client.response()).status).toBe(200)
  })

  test.each([
    ['longer than drainBytes', request('POST', '/', ['Content-Length: 101'])],
    ['in chunks', request('POST', '/', ['Transfer-Encoding: chunked'])],
  ])('and is %s ends the connection, and what it says is no request', async (_, head) => {
    await using served = await serve(() => HttpResponse.text('unread'), { drainBytes: 100 })
    const bytes = await exchangeBytes(served.port, head + get('/smuggled'))
    expect(statuses(bytes)).toEqual([200])
    expect(bytes).toContain('connection: close')
    expect(served.ended).toHaveLength(1)
  })

  test('to its end, by a handler that had begun to, is dropped up to drainBytes as well', async () => {
    await using served = await serve(
      async asked => {
        for await (const piece of asked.body.stream()) return HttpResponse.text(String(piece.length))
        return HttpResponse.text('empty')
      },
      { drainBytes: 100 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\none\r\n`)
    expect((await client.response()).field('connection')).toBeUndefined()
    client.send(`ffff\r\n${'x'.repeat(0xffff)}\r\n0\r\n\r\n${get('/smuggled')}`)
    expect(await client.rest()).toBe('')
    expect(served.ended).toHaveLength(1)
  })

  test('and that stops coming ends the connection after a while; the request ended well', async () => {
    let signal!: AbortSignal
    await using served = await serve(asked => {
      signal = asked.signal
      return HttpResponse.text('unread')
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -1))
    expect((await client.response()).field('connection')).toBeUndefined()
    expect(await client.closed).toBe('end')
    expect([signal.aborted, served.ended[0]!.outcome.result]).toEqual([false, 'sent'])
  })

  test.each([
    ['with a length', request('POST', '/', ['Content-Length: 60000']), 'x', 'unread'],
    ['in chunks', `${request('POST', '/', ['Transfer-Encoding: chunked'])}1\r\nx\r\n`, '1\r\nx\r\n', 'first'],
    ['in part read', `${request('POST', '/', ['Content-Length: 60000'])}x`, 'x', 'first'],
  ])(
    '%s, of which a byte comes now and then, ends the connection all the same',
    async (_, head, drip, how) => {
      await using served = await serve(async asked => {
        if (how === 'first') for await (const piece of asked.body.stream()) return HttpResponse.bytes(piece)
        return HttpResponse.text('unread')
      })
      await using client = await RawClient.connect(served.port)
      client.send(head)
      expect((await client.response()).status).toBe(200)
      const dripping = setInterval(() => client.socket.write(drip), 200)
      const result = await client.closed
      clearInterval(dripping)
      expect(result).toBe('end')
    },
  )

  test.each([
    ['with a length', ['Content-Length: 101'], 'x', 'close'],
    ['in chunks', ['Transfer-Encoding: chunked'], '1\r\nx\r\n', undefined],
    ['that fits', ['Content-Length: 100'], 'x', undefined],
  ])(
    '%s, of which a handler took one piece: the answer tells whether it closes',
    async (_, fields, piece, closes) => {
      const first = async (asked: HttpRequest) => {
        await asked.body.stream().next()
        return HttpResponse.text('enough')
      }
      await using served = await serve(first, { drainBytes: 99 })
      await using client = await RawClient.connect(served.port)
      client.send(request('POST', '/', fields) + piece)
      expect((await client.response()).field('connection')).toBe(closes)
    },
  )

  test('of an answer that waits for an earlier one does not swallow that one', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(
      asked =>
        asked.method === 'GET'
          ? gate.promise.then(() => HttpResponse.text('first'))
          : HttpResponse.text('no', 403),
      { drainBytes: 1_000 },
    )
    await using client = await RawClient.connect(served.port)
    client.send(`${get()}${request('POST', '/', ['Content-Length: 500000'])}${'x'.repeat(300_000)}`)
    await turns(300)
    gate.resolve()
    expect((await client.response()).body.toString()).toBe('first')
    expect((await client.response()).status).toBe(403)
  })
})

describe('a body that breaks off', () => {
  test('the client ends its side within it: the handler gets an error, the client a 400', async () => {
    await using served = await serve(echo)
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    client.end()
    const bytes = await client.rest()
    expect(statuses(bytes)).toEqual([400])
    expect(bytes).toContain('the client ended the connection within the body')
    expect(served.reports).toEqual([])
  })

  test('the client resets within it: the exchange is aborted, and nobody is blamed', async () => {
    const began = Promise.withResolvers<HttpRequest>()
    await using served = await serve(asked => {
      began.resolve(asked)
      return echo(asked)
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    const { signal } = await began.promise
    client.reset()
    const [ended] = await served.untilEnded(1)
    expect([ended!.outcome.result, ended!.response]).toEqual(['aborted', null])
    expect(signal.aborted).toBe(true)
    expect(served.reports).toEqual([])
  })

  test('a chunk that is malformed: 400 with its rule, reported once, and no byte behind it is read', async () => {
    await using served = await serve(echo)
    const message = `${request('POST', '/', ['Transfer-Encoding: chunked'])}3\r\nabc\r\nx\r\n${get()}`
    const bytes = await exchangeBytes(served.port, message)
    expect(statuses(bytes)).toEqual([400])
    expect(bytes).toContain('a chunk size is not a plain hexadecimal number')
    expect(served.reports.map(({ code }) => code)).toEqual(['H1-CHUNK-SIZE'])
    const [ended] = await served.untilEnded(1)
    expect([ended!.outcome.result, ended!.request.refused?.id]).toEqual(['refused', 'H1-CHUNK-SIZE'])
  })

  test('a malformed chunk behind an answer that is out ends the connection', async () => {
    await using served = await serve(() => HttpResponse.text('unread'))
    await using client = await RawClient.connect(served.port)
    client.send(`${request('POST', '/', ['Transfer-Encoding: chunked'])}x\r\n${get()}`)
    expect(statuses(await client.rest())).toEqual([200])
    expect(served.ended).toHaveLength(1)
  })
})

test('a body that broke off while its request waited for its turn fails at once', async () => {
  const gate = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const watching = definePlugin({
    name: 'watching',
    server({ hooks }) {
      hooks.connection.tap({ name: 'watching', stage: Connect.Protocol - 1 }, stream => {
        stream.once('end', ended.resolve)
      })
    },
  })()
  const slow = answering(async ({ path, body }) => {
    if (path === '/slow') await gate.promise
    return HttpResponse.text(await body.text())
  })
  await using served = await startServer({ limits: { pipelineDepth: 1 }, plugins: [watching, slow] })
  await using client = await RawClient.connect(served.port)
  client.socket.end(`${get('/slow')}${request('POST', '/', ['Content-Length: 10'])}part`)
  await ended.promise
  gate.resolve()
  expect(statuses(await client.rest())).toEqual([200, 400])
})
