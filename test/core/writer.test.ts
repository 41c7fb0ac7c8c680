import { type HttpRequest, HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { Gates } from '../support/gates.ts'
import { get, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

async function* pieces(...all: string[]) {
  for (const piece of all) yield piece
}

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
const serve = (answer: Answer) => startServer({ plugins: [answering(answer)] })

const http10 = (target: string, ...fields: string[]) =>
  `GET ${target} HTTP/1.0\r\nHost: a\r\n${fields.map(line => `${line}\r\n`).join('')}\r\n`

describe('framing', () => {
  test.each<[string, () => HttpResponse, string, string]>([
    ['text', () => HttpResponse.text('häl'), '4', 'häl'],
    ['bytes', () => HttpResponse.bytes(Buffer.from([0, 255])), '2', '\0\u00ff'],
    ['an empty string', () => HttpResponse.text(''), '0', ''],
    ['no body', () => HttpResponse.empty(200), '0', ''],
    [
      'a stream that declares its length',
      () => HttpResponse.stream(pieces('ab', 'c'), { length: 3 }),
      '3',
      'abc',
    ],
  ])('%s has a Content-Length', async (_, answer, length, body) => {
    await using served = await serve(answer)
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const response = await client.response()
    expect(response.field('content-length')).toBe(length)
    expect(response.field('transfer-encoding')).toBeUndefined()
    expect(response.field('connection')).toBeUndefined()
    expect(response.body).toEqual(Buffer.from(body, _ === 'bytes' ? 'latin1' : 'utf8'))
  })

  test('a stream of unknown length is chunked, and the connection lives on', async () => {
    await using served = await serve(() => HttpResponse.stream(pieces('one', '', 'häl', 'x'.repeat(40_000))))
    await using client = await RawClient.connect(served.port)
    for (let round = 0; round < 2; round++) {
      client.send(get())
      const response = await client.response()
      expect(response.field('transfer-encoding')).toBe('chunked')
      expect(response.field('content-length')).toBeUndefined()
      expect(response.body.toString()).toBe(`onehäl${'x'.repeat(40_000)}`)
    }
  })

  test('each piece is a chunk of its size in hexadecimal', async () => {
    await using served = await serve(() => HttpResponse.stream(pieces('h\u00e4l', 'x'.repeat(26))))
    const bytes = await exchangeBytes(served.port, get('/', 'Connection: close'))
    expect(bytes.slice(bytes.indexOf('\r\n\r\n') + 4)).toBe(
      `4\r\nh\u00c3\u00a4l\r\n1a\r\n${'x'.repeat(26)}\r\n0\r\n\r\n`,
    )
  })

  test('for HTTP/1.0 an unknown length ends with the connection', async () => {
    await using served = await serve(() => HttpResponse.stream(pieces('one', 'two')))
    const bytes = await exchangeBytes(served.port, http10('/', 'Connection: keep-alive'))
    expect(bytes).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(bytes).toContain('\r\nconnection: close\r\n')
    expect(bytes).not.toMatch(/transfer-encoding|content-length/)
    expect(bytes.endsWith('\r\n\r\nonetwo')).toBe(true)
  })

  test.each([204, 205, 304])('a %i has no body, whatever its handler gave', async status => {
    const pulled: string[] = []
    async function* body() {
      pulled.push('pulled')
      yield 'body'
    }
    await using served = await serve(({ path }) =>
      path === '/stream' ? HttpResponse.stream(body(), { status }) : HttpResponse.text('body', status),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get('/text') + get('/stream') + get('/text', 'Connection: close'))
    const bytes = await client.rest()
    expect(statuses(bytes)).toEqual([status, status, status])
    expect(bytes).not.toContain('body')
    expect(bytes.match(/content-length: 0/g)?.length ?? 0).toBe(status === 205 ? 3 : 0)
    expect(pulled).toEqual([])
  })

  test('HEAD gets the head that GET would get, and its body is never pulled', async () => {
    let pulls = 0
    const body = {
      async *[Symbol.asyncIterator]() {
        pulls++
        yield 'x'
      },
    }
    await using served = await serve(({ path }) => {
      if (path === '/text') return HttpResponse.text('hello')
      return HttpResponse.stream(body, path === '/known' ? { length: 1 } : {})
    })
    await using client = await RawClient.connect(served.port)
    for (const path of ['/text', '/known', '/unknown']) {
      client.send(get(path))
      const full = await client.response()
      const pulled = pulls
      client.send(request('HEAD', path))
      const head = await client.response({ toHead: true })
      expect(head.field('content-length')).toBe(full.field('content-length'))
      expect(head.field('content-type')).toBe(full.field('content-type'))
      expect(head.body.length).toBe(0)
      expect(pulls).toBe(pulled)
    }
  })
})

describe('the head', () => {
  test('has a Date of the present, unless a plugin has set one', async () => {
    await using served = await serve(({ path }) => {
      const response = HttpResponse.text('x')
      return path === '/own' ? response.set('date', 'Thu, 01 Jan 1970 00:00:00 GMT') : response
    })
    await using client = await RawClient.connect(served.port)
    const before = Math.floor(Date.now() / 1000) * 1000
    client.send(get('/'))
    const date = Date.parse((await client.response()).field('date')!)
    expect(date).toBeGreaterThanOrEqual(before)
    expect(date).toBeLessThanOrEqual(Date.now())
    client.send(get('/own'))
    expect((await client.response()).field('date')).toBe('Thu, 01 Jan 1970 00:00:00 GMT')
  })

  test('does not say who the server is', async () => {
    await using served = await serve(() => HttpResponse.text('x'))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).fields.map(([name]) => name)).toEqual([
      'content-type',
      'accept-ranges',
      'date',
      'content-length',
    ])
  })

  test('HTTP/1.0 keeps the connection when it asks to and the length is known', async () => {
    await using served = await serve(() => HttpResponse.text('x'))
    await using client = await RawClient.connect(served.port)
    client.send(http10('/', 'Connection: keep-alive'))
    expect((await client.response()).field('connection')).toBe('keep-alive')
    client.send(http10('/'))
    expect((await client.response()).field('connection')).toBe('close')
    expect(await client.closed).toBe('end')
  })
})

describe('interim answers', () => {
  test('103 goes out before the answer is there', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await serve(async asked => {
      asked.inform(103, { link: '</a.css>; rel=preload' })
      await gate.promise
      return HttpResponse.text('late')
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const hints = await client.response({ interim: true })
    expect([hints.statusLine, hints.fields]).toEqual([
      'HTTP/1.1 103 Early Hints',
      [['link', '</a.css>; rel=preload']],
    ])
    gate.resolve()
    expect((await client.response({ interim: true })).status).toBe(200)
  })

  test('103 of a later request waits until the answers before it are out', async () => {
    const gate = Promise.withResolvers<void>()
    const informed = Promise.withResolvers<void>()
    await using served = await serve(async asked => {
      if (asked.path === '/first') await gate.promise
      else {
        asked.inform(103, { link: '</b.css>' })
        informed.resolve()
      }
      return HttpResponse.text(asked.path)
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/first') + get('/second', 'Connection: close'))
    await informed.promise
    gate.resolve()
    expect(statuses(await client.rest())).toEqual([200, 103, 200])
  })

  test('103 is dropped for HTTP/1.0, and after the head', async () => {
    const source = Promise.withResolvers<string>()
    const asked = Promise.withResolvers<HttpRequest>()
    await using served = await serve(got => {
      got.inform(103, { link: '</a.css>' })
      if (got.version === '1.0') return HttpResponse.text('old')
      asked.resolve(got)
      return HttpResponse.stream(
        (async function* () {
          yield 'a'
          yield await source.promise
        })(),
      )
    })
    expect(statuses(await exchangeBytes(served.port, http10('/')))).toEqual([200])
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: close'))
    const first = await client.until('1\r\na\r\n')
    expect(statuses(first)).toEqual([103, 200])
    ;(await asked.promise).inform(103, { link: '</late.css>' })
    source.resolve('b')
    expect(await client.rest()).toBe('1\r\nb\r\n0\r\n\r\n')
  })

  test.each([
    [{ link: 'a\r\n\r\nHTTP/1.1 200 OK' }, 'link'],
    [{ 'bad name': 'x' }, 'bad name'],
    [{ 'content-length': '5' }, 'content-length'],
  ])('103 with %j is an error of the plugin, and nothing of it leaves', async (fields, named) => {
    await using served = await serve(asked => {
      asked.inform(103, fields as Record<string, string>)
      return HttpResponse.text('x')
    })
    const bytes = await exchangeBytes(served.port, get('/', 'Connection: close'))
    expect(statuses(bytes)).toEqual([500])
    expect(served.reports[0]).toMatchObject({ code: 'TAP_FAILED', plugin: 'test-answer', hook: 'handle' })
    expect(served.reports[0]!.message).toContain(named)
  })
})

describe('trailers', () => {
  test('come behind a chunked body, with the values of its end', async () => {
    let count = 0
    async function* counted() {
      for (const piece of ['a', 'b']) {
        count++
        yield piece
      }
    }
    await using served = await serve(() =>
      HttpResponse.stream(counted()).trailers(['X-Count'], () => ({ 'x-count': String(count) })),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const response = await client.response()
    expect(response.field('trailer')).toBe('x-count')
    expect(response.trailers).toEqual(['x-count: 2'])
  })

  test.each(['HTTP/1.0', 'a known length'])('are left away for %s', async why => {
    await using served = await serve(() => {
      const response = why === 'HTTP/1.0' ? HttpResponse.stream(pieces('ab')) : HttpResponse.text('ab')
      return response.trailers(['x-sum'], () => ({ 'x-sum': '1' }))
    })
    const message = why === 'HTTP/1.0' ? http10('/') : get('/', 'Connection: close')
    const bytes = await exchangeBytes(served.port, message)
    expect(bytes).not.toMatch(/x-sum|trailer/)
    expect(bytes.endsWith('\r\n\r\nab')).toBe(true)
  })

  test.each([
    ['a value that would end the message', { 'x-sum': '1\r\n\r\nHTTP/1.1 200 OK' }],
    ['a field that frames', { 'content-length': '1' }],
    ['a field that authenticates', { authorization: 'x' }],
  ])('with %s are reported, and break the answer off', async (_, values) => {
    await using served = await serve(() =>
      HttpResponse.stream(pieces('ab')).trailers(['x-sum'], () => values as Record<string, string>),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(await client.closed).toBe('end')
    expect(client.received).not.toContain('\r\n0\r\n')
    expect(served.reports).toHaveLength(1)
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('failed')
  })
})

describe('a body that does not keep its word', () => {
  test.each([
    ['chunked', () => HttpResponse.stream(broken())],
    ['of a declared length', () => HttpResponse.stream(broken(), { length: 100 })],
    ['short of its length', () => HttpResponse.stream(pieces('part'), { length: 100 })],
  ])('%s: the connection ends without the end of the answer', async (_, answer) => {
    await using served = await serve(answer)
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(await client.closed).toBe('end')
    expect(client.received).not.toContain('\r\n0\r\n')
    const [ended] = await served.untilEnded(1)
    expect(ended!.outcome.result).toBe('failed')
    expect(served.reports[0]).toMatchObject({ severity: 'error', plugin: 'test-answer' })
  })

  test('a close-delimited body that breaks off is reset: a mere end would make it whole', async () => {
    await using served = await serve(() => HttpResponse.stream(broken()))
    await using client = await RawClient.connect(served.port)
    client.send(http10('/'))
    expect(await client.closed).toBe('reset')
    expect(client.received).toContain('part')
  })

  test('what runs over its length is cut off and reported', async () => {
    await using served = await serve(() => HttpResponse.stream(pieces('abc', 'def'), { length: 4 }))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).body.toString()).toBe('abcd')
    client.send(get())
    expect((await client.response()).status).toBe(200)
    expect(served.reports[0]).toMatchObject({ code: 'BODY_TOO_LONG', severity: 'error' })
  })

  async function* broken() {
    yield 'part'
    // The head is out by then.
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    throw new Error('the disk is gone')
  }
})

describe('an interim answer', () => {
  test('of an answer that was left out behind another one goes nowhere', async () => {
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<HttpRequest>()
    await using served = await serve(async request => {
      if (request.path === '/first') await gate.promise
      else asked.resolve(request)
      return request.path === '/first' ? HttpResponse.text('first') : new Promise(() => undefined)
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/first') + get('/second'))
    const second = await asked.promise
    second.sink!.reset(new Error('cut'))
    second.inform(103, { link: '</held>' })
    gate.resolve()
    await client.until('first')
    second.inform(103, { link: '</late>' })
    expect(await client.rest()).toBe('')
    expect(second.sink!.bytes).toBe(0)
  })

  test('of an answer that was cut goes nowhere', async () => {
    const asked = Promise.withResolvers<HttpRequest>()
    await using served = await serve(request => {
      asked.resolve(request)
      return new Promise(() => undefined)
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const request = await asked.promise
    request.sink!.reset(new Error('cut'))
    request.inform(103, { link: '</late>' })
    expect(request.sink!.bytes).toBe(0)
    await client.closed
    expect(client.received).toBe('')
  })
})

test('an answer knows whether what it was given still waits: for its turn, or for the client', async () => {
  const gates = new Gates()
  const requests = new Map<string, HttpRequest>()
  await using served = await serve(request => {
    requests.set(request.path, request)
    return gates.answer(request)
  })
  await using client = await RawClient.connect(served.port)
  client.send(get('/first') + get('/second'))
  await gates.until(2)
  const waits = (path: string) => requests.get(path)!.sink!.hasQueued
  expect([waits('/first'), waits('/second')]).toEqual([false, true])
  gates.open('/first')
  await client.response()
  expect(waits('/second')).toBe(false)
  client.socket.pause()
  requests.get('/second')!.sink!.inform(103, { link: 'x'.repeat(20_000_000) })
  await turns(5)
  expect(waits('/second')).toBe(true)
})
