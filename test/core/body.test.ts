import { HttpError, HttpResponse } from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'
import { RequestBody } from '../../core/body.ts'
import type { BodySource } from '../../core/body-flow.ts'
import { defaultExchangeLimits, type ExchangeLimits } from '../../core/limits.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

interface Given {
  readonly pieces?: readonly string[]
  readonly contentType?: string
  readonly contentLength?: number
  readonly limits?: Partial<ExchangeLimits>
}

/** A body whose pieces come one for each time that somebody waits. */
function body({ pieces = [], contentType, contentLength, limits }: Given = {}) {
  const rest = pieces.map(piece => Buffer.from(piece))
  let wanted = 0
  const source: BodySource = {
    want() {
      wanted++
      queueMicrotask(() => {
        const piece = rest.shift()
        if (piece === undefined) made.end()
        else made.push(piece)
      })
    },
  }
  const facts = {
    limits: { ...defaultExchangeLimits, ...limits },
    contentType,
    contentLength: contentLength ?? null,
  }
  const made = new RequestBody(() => facts, source)
  return { body: made, limits: facts.limits, wanted: () => wanted }
}

/** A body that is there as a whole, or none. */
function whole(text: string | Uint8Array | null, contentType?: string) {
  const made = new RequestBody(
    () => ({ limits: defaultExchangeLimits, contentType, contentLength: null }),
    null,
  )
  if (text !== null) made.push(Buffer.from(text))
  return made
}

const status = (code: number, sentence: string) => ({ status: code, message: sentence })

describe('bytes and text', () => {
  test('are all pieces together', async () => {
    expect((await body({ pieces: ['ab', '', 'c'] }).body.bytes()).toString()).toBe('abc')
    expect(await body({ pieces: ['caf\xc3', 'x'] }).body.text()).toBe('caf\xc3x')
    expect((await whole(null).bytes()).length).toBe(0)
  })

  test('join a character that two pieces share', async () => {
    const { body: split } = body()
    const [head, tail] = [Buffer.from('café').subarray(0, 4), Buffer.from('café').subarray(4)]
    split.push(head)
    split.push(tail)
    split.end()
    expect(await split.text()).toBe('café')
  })

  test.each([
    ['iso-8859-1', [0xe9], 'é'],
    ['"UTF-16LE"', [0xe9, 0], 'é'],
    ['shift_jis', [0x82, 0xa0], 'あ'],
  ])('read the charset that the Content-Type names: %s', async (charset, bytes, text) => {
    expect(await whole(new Uint8Array(bytes), `text/plain; charset=${charset}`).text()).toBe(text)
  })

  test('refuse a charset that nobody knows as a 415', async () => {
    const given = whole('a', 'text/plain; charset=klingon')
    await expect(given.text()).rejects.toMatchObject({ status: 415, code: 'BODY_CHARSET' })
  })

  test('refuse what is not UTF-8 as a 400', async () => {
    await expect(whole(new Uint8Array([0xc3, 0x28])).text()).rejects.toMatchObject({
      ...status(400, 'the body is not valid UTF-8'),
      code: 'BODY_INVALID_UTF8',
    })
  })
})

describe('json', () => {
  test.each(['application/json', 'application/JSON; charset=utf-8', 'application/problem+json', undefined])(
    'reads %s',
    async type => {
      expect(await whole('{"a":[1]}', type).json()).toEqual({ a: [1] })
    },
  )

  test.each(['text/plain', 'application/jsonp', 'application/x-www-form-urlencoded', 'text/json', ''])(
    'refuses %j as a 415, and reads nothing',
    async contentType => {
      const given = body({ pieces: ['{}'], contentType })
      await expect(given.body.json()).rejects.toMatchObject(
        status(415, 'the body must be JSON (application/json)'),
      )
      expect(given.wanted()).toBe(0)
    },
  )

  test.each([
    [`${'['.repeat(129)}${']'.repeat(129)}`, 'BODY_TOO_DEEP'],
    [`${'{"a":'.repeat(100_000)}`, 'BODY_TOO_DEEP'],
    // As few of either kind as that depth can have.
    [`${'[{"a":'.repeat(64)}[]${'}]'.repeat(64)}`, 'BODY_TOO_DEEP'],
    [`${'{"a":['.repeat(64)}{}${']}'.repeat(64)}`, 'BODY_TOO_DEEP'],
    ['{"__proto__":{"admin":true}}', 'BODY_PROTO_KEY'],
    ['[{"a":[{"__\\u0070roto__":1}]}]', 'BODY_PROTO_KEY'],
  ])('refuses as a 400 what would harm whoever walks or copies it: %.40s', async (text, code) => {
    await expect(whole(text).json()).rejects.toMatchObject({ status: 400, code })
  })

  test.each([
    `${'['.repeat(128)}${']'.repeat(128)}`,
    JSON.stringify(['['.repeat(1_000), '{\\"'.repeat(1_000), '__proto__', '\\__proto__']),
    JSON.stringify(new Array(1_000).fill([])),
    `${'[{"a":'.repeat(64)}0${'}]'.repeat(64)}`,
    `["\\u0041"${',0'.repeat(400_000)}]`,
  ])('takes what only looks like it: %.40s', async text => {
    expect(await whole(text).json()).toEqual(JSON.parse(text))
  })

  test.each(['iso-8859-1', '"utf-16"', 'UTF-32'])('refuses the charset %s as a 415', async charset => {
    const given = whole('{}', `application/json; charset=${charset}`)
    await expect(given.json()).rejects.toMatchObject({ status: 415, code: 'BODY_CHARSET' })
  })

  test.each(['', '{', '{"a":1}x', 'undefined'])('refuses %j as a 400', async text => {
    await expect(whole(text).json()).rejects.toMatchObject(status(400, 'the body is not valid JSON'))
  })
})

describe('what was read once', () => {
  test('may be read again, in any form', async () => {
    const given = body({ pieces: ['{"a"', ':1}'] })
    const results = await Promise.all([given.body.bytes(), given.body.json(), given.body.text()])
    expect(results).toEqual([Buffer.from('{"a":1}'), { a: 1 }, '{"a":1}'])
    expect(await given.body.json()).toEqual({ a: 1 })
    expect(given.wanted()).toBe(3)
  })

  test('may not be read as a stream any more', async () => {
    const { body: read } = body({ pieces: ['a'] })
    await read.text()
    expect(() => read.stream()).toThrow('request.body was already taken by json(), text(), bytes() or form()')
  })

  test('as a stream may not be read again, from the call on', async () => {
    const { body: taken } = body({ pieces: ['a'], contentType: 'application/x-www-form-urlencoded' })
    const stream = taken.stream()
    const sentence = 'request.body was already taken by stream()'
    expect(() => taken.stream()).toThrow(sentence)
    for (const reader of ['bytes', 'text', 'form'] as const)
      await expect(taken[reader]()).rejects.toThrow(sentence)
    await expect(whole('{}').json()).resolves.toEqual({})
    const pieces: string[] = []
    for await (const piece of stream) pieces.push(Buffer.from(piece).toString())
    expect(pieces).toEqual(['a'])
    await expect(taken.bytes()).rejects.toThrow(sentence)
  })
})

describe('the limit', () => {
  const tooLarge = (limit: number) => ({
    ...status(413, `the body is larger than ${limit} bytes`),
    code: 'BODY_TOO_LARGE',
  })

  test('is that of the request, or the reader’s own; 0 is none', async () => {
    const pieces = ['abc', 'def']
    const limits = { bodyBytes: 5 }
    await expect(body({ pieces, limits }).body.bytes()).rejects.toMatchObject(tooLarge(5))
    expect(await body({ pieces, limits }).body.text({ limit: 6 })).toBe('abcdef')
    await expect(body({ pieces }).body.text({ limit: 4 })).rejects.toMatchObject(tooLarge(4))
    expect(await body({ pieces, limits: { bodyBytes: 0 } }).body.text()).toBe('abcdef')
    expect(await body({ pieces, limits }).body.text({ limit: 0 })).toBe('abcdef')
  })

  test('refuses a declared length before anything is asked for', async () => {
    for (const read of [
      (given: RequestBody) => given.bytes(),
      (given: RequestBody) => given.json(),
      (given: RequestBody) => given.stream().next(),
    ]) {
      const given = body({ pieces: ['abcdef'], contentLength: 6, limits: { bodyBytes: 5 } })
      await expect(read(given.body)).rejects.toMatchObject(tooLarge(5))
      expect([given.wanted(), given.body.isPulled]).toEqual([0, false])
    }
  })

  test('stops a body without a declared length where it is passed', async () => {
    const given = body({ pieces: ['abc', 'def', 'ghi', 'jkl'], limits: { bodyBytes: 5 } })
    await expect(given.body.bytes()).rejects.toMatchObject(tooLarge(5))
    expect(given.wanted()).toBe(2)
  })

  test('holds for a stream too, and may be raised until its first pull', async () => {
    const given = body({ pieces: ['abc', 'def'], limits: { bodyBytes: 2 } })
    const stream = given.body.stream()
    given.limits.bodyBytes = 5
    expect((await stream.next()).value).toEqual(Buffer.from('abc'))
    given.limits.bodyBytes = 100
    expect((await stream.next()).value).toEqual(Buffer.from('def'))
    await expect(stream.next()).rejects.toMatchObject(tooLarge(5))
  })

  test('of one reader is not that of the next, which goes on where the first gave up', async () => {
    const given = body({ pieces: ['abc', 'def', 'ghi'] })
    const small = given.body.bytes({ limit: 4 })
    const large = given.body.text({ limit: 9 })
    await expect(small).rejects.toMatchObject(tooLarge(4))
    expect(await large).toBe('abcdefghi')
    await expect(given.body.bytes({ limit: 8 })).rejects.toMatchObject(tooLarge(8))
    expect(await given.body.text()).toBe('abcdefghi')
  })
})

describe('a body that breaks off', () => {
  test('fails its readers, the later ones too', async () => {
    const given = body()
    const read = given.body.bytes()
    given.body.fail(new Error('the client left'))
    await expect(read).rejects.toThrow('the client left')
    await expect(given.body.text()).rejects.toThrow('the client left')
  })

  test('gives the pieces that came, then fails', async () => {
    const given = body()
    given.body.push(Buffer.from('abc'))
    given.body.fail(new Error('the client left'))
    const stream = given.body.stream()
    expect((await stream.next()).value).toEqual(Buffer.from('abc'))
    await expect(stream.next()).rejects.toThrow('the client left')
  })

  test('is no whole by what comes behind the failure', async () => {
    const given = body()
    given.body.push(Buffer.from('a'))
    given.body.fail(new Error('too slow'))
    given.body.push(Buffer.from('b'))
    given.body.end()
    const stream = given.body.stream()
    expect((await stream.next()).value).toEqual(Buffer.from('a'))
    await expect(stream.next()).rejects.toThrow('too slow')
  })

  test('ends no process when its reader does not wait for it', async () => {
    const given = body()
    for (const reader of ['bytes', 'text', 'json'] as const) void given.body[reader]()
    given.body.fail(new Error('the client left'))
    // An unhandled rejection would fail the run at the turn's end.
    await new Promise(setImmediate)
  })

  test('is whole when it had ended before', async () => {
    const given = whole('abc')
    given.fail(new Error('too late'))
    expect(await given.text()).toBe('abc')
  })
})

test('two who pull at the same time are told from each other', async () => {
  const { body: pulled } = body()
  const stream = pulled.stream()
  const first = stream.next()
  pulled.push(Buffer.from('a'))
  pulled.end()
  expect((await first).value).toEqual(Buffer.from('a'))
  expect((await stream.next()).done).toBe(true)
})

test('what is there already is not asked for', async () => {
  const given = body()
  given.body.push(Buffer.from('a'))
  expect((await given.body.stream().next()).value).toEqual(Buffer.from('a'))
  expect(given.wanted()).toBe(0)
})

test('what waits and what came is counted', async () => {
  const given = body()
  expect([given.body.isWaiting, given.body.isEmpty]).toEqual([false, false])
  const read = given.body.stream().next()
  expect([given.body.isWaiting, given.body.isPulled]).toEqual([true, true])
  given.body.push(Buffer.from('ab'))
  given.body.push(Buffer.from('cd'))
  await read
  expect([given.body.isWaiting, given.body.received, given.body.queued]).toEqual([false, 4, 2])
  expect(whole(null).isEmpty).toBe(true)
  expect(whole('a').isEmpty).toBe(false)
})

describe('a body in pieces of one byte', () => {
  test('that nobody reads yet is held as one, and read as one', async () => {
    const given = body()
    for (let i = 0; i < 64_000; i++) given.body.push(Buffer.from('x'))
    given.body.end()
    expect(given.body.queued).toBe(64_000)
    const stream = given.body.stream()
    expect((await stream.next()).value?.length).toBe(64_000)
    expect((await stream.next()).done).toBe(true)
  })

  test('that is read as they come takes about its bytes', async () => {
    const given = body({ pieces: new Array(20_000).fill('x') })
    const concat = vi.spyOn(Buffer, 'concat')
    expect((await given.body.bytes()).length).toBe(20_000)
    const joined = concat.mock.calls.reduce((most, [list]) => Math.max(most, list.length), 0)
    concat.mockRestore()
    expect(joined).toBeLessThan(20)
  })
})

test('pieces that a larger limit goes on with are not lost', async () => {
  const given = body({ pieces: ['ab', 'cd', 'e'] })
  await expect(given.body.bytes({ limit: 3 })).rejects.toMatchObject({ status: 413 })
  expect((await given.body.bytes({ limit: 5 })).toString()).toBe('abcde')
})

describe('on a connection', () => {
  const echo = answering(async request => HttpResponse.text(await request.body.text()))
  const put = (length: number, more = '') =>
    `PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\nconnection: close\r\n${more}\r\n`

  test('100 Continue goes out at the first pull, never before', async () => {
    await using server = await startServer({ plugins: [echo] })
    await using client = await RawClient.connect(server.port)
    client.send(put(3, 'expect: 100-continue\r\n'))
    expect((await client.response({ interim: true })).status).toBe(100)
    client.send('abc')
    expect((await client.response()).body.toString()).toBe('abc')
  })

  test.each([
    ['a body over the limit', put(11, 'expect: 100-continue\r\n'), 413],
    ['a body that nobody reads', put(3, 'expect: 100-continue\r\nx-refuse: 1\r\n'), 403],
  ])('%s is refused before any 100, and the connection closes', async (_what, head, expected) => {
    const plugin = answering(async request => {
      if (request.headers.has('x-refuse')) throw new HttpError(403)
      return HttpResponse.text(await request.body.text())
    })
    await using server = await startServer({ limits: { bodyBytes: 10 }, plugins: [plugin] })
    await using client = await RawClient.connect(server.port)
    client.send(head)
    const answer = await client.response({ interim: true })
    expect([answer.status, answer.field('connection')]).toEqual([expected, 'close'])
    expect(await client.rest()).toBe('')
  })
})

test('a source may push at once, however many pieces there are', async () => {
  let left = 65_536
  const source: BodySource = {
    want() {
      if (left-- > 0) made.push(Buffer.from('x'))
      else made.end()
    },
  }
  const facts = { limits: defaultExchangeLimits, contentType: undefined, contentLength: null }
  const made = new RequestBody(() => facts, source)
  expect(await made.bytes()).toHaveLength(65_536)
})
