import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { HttpResponse } from 'rawhttp'
import { type CompressionOptions, compression } from 'rawhttp/plugins/compression'
import { describe, expect, onTestFinished, test } from 'vitest'
import { codings } from '../../../plugins/compression/codecs.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { steady } from '../../support/turns.ts'
import { serving, text } from './answers.ts'
import { decoded } from './decode.ts'
import { LiveClient } from './live-client.ts'

/** Events of a length that is known beforehand. */
const short = { length: 9, headers: { 'content-type': 'text/event-stream' } }
const plain = { headers: { 'content-type': 'text/plain' } }

async function started(
  answer: (path: string) => HttpResponse,
  options: CompressionOptions = {},
): Promise<TestServer> {
  const server = await startServer({
    // The shortest time-out sets the pace of the server's clock.
    limits: { handshakeTimeout: '40ms' },
    plugins: [answering(({ path }) => answer(path)), compression(options)],
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

/** A source whose pieces come when the test says so. */
function gated() {
  const gates = [Promise.withResolvers<string | null>()]
  const source = {
    pulls: 0,
    returned: Promise.withResolvers<void>(),
    give(piece: string | null) {
      gates.push(Promise.withResolvers())
      gates.at(-2)!.resolve(piece)
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (let i = 0; ; i++) {
          source.pulls++
          const piece = await gates[i]!.promise
          if (piece === null) return
          yield piece
        }
      } finally {
        source.returned.resolve()
      }
    },
  }
  return source
}

describe.each(codings)('%s', coding => {
  test('an event is decoded by its client before the next one exists', async () => {
    const events = gated()
    const server = await started(() => HttpResponse.events(events))
    const got = LiveClient.get(server.port, '/', coding)
    events.give('the first')
    const { client, head } = await got
    onTestFinished(() => client[Symbol.asyncDispose]())
    expect(head).toContain(`content-encoding: ${coding}`)
    await client.untilText('data: the first\n\n')
    expect(events.pulls).toBe(2)
    events.give('the second')
    await client.untilText('data: the second\n\n')
  })

  test('a heartbeat is decoded by its client while there is no event', async () => {
    const events = gated()
    const server = await started(() => HttpResponse.events(events, { heartbeat: '20ms' }))
    const { client } = await LiveClient.get(server.port, '/', coding)
    onTestFinished(() => client[Symbol.asyncDispose]())
    await client.untilText(':\n\n:\n\n')
    events.give('the first')
    await client.untilText('data: the first\n\n')
    expect(events.pulls).toBe(2)
  })

  test('a piece of any other stream reaches its client while the source pauses', async () => {
    const pieces = gated()
    const server = await started(() => HttpResponse.stream(pieces, plain))
    const got = LiveClient.get(server.port, '/', coding)
    pieces.give('a first piece, and then a pause')
    const { client } = await got
    onTestFinished(() => client[Symbol.asyncDispose]())
    await client.untilText('a first piece, and then a pause')
    pieces.give('more')
    await client.untilText('more')
  })

  test('small pieces that come fast cost about as little as the whole', async () => {
    const words = text.split(' ').map((word, i) => `${word} ${i} `)
    const many = async function* () {
      for (let i = 0; i < 10; i++) yield* words
    }
    const ask = await serving(() => HttpResponse.stream(many(), plain))
    const whole = await serving(() => HttpResponse.text(words.join('').repeat(10)))
    const headers = { 'accept-encoding': coding }
    const size = (await ask(headers)).body.length
    // A flush after each piece would take more than 4 bytes each.
    expect(size).toBeLessThan((await whole(headers)).body.length + 4 * words.length)
  })

  test('a client that does not read stops the source', async () => {
    let pulled = 0
    const noise = randomBytes(65_536)
    const endless = async function* () {
      for (; pulled < 200 * 16; pulled++) yield noise
    }
    const server = await started(() => HttpResponse.stream(endless(), plain))
    await using client = await RawClient.connect(server.port)
    client.socket.pause()
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`)
    // What the sockets of both sides hold, and not much more: of 200 MB less than 16.
    expect(await steady(() => pulled)).toBeLessThan(16 * 16)
  })
})

describe('a client that leaves', () => {
  test('ends a source that is between two pieces', async () => {
    const finished = Promise.withResolvers<void>()
    const noise = randomBytes(65_536)
    const endless = async function* () {
      try {
        for (;;) yield noise
      } finally {
        finished.resolve()
      }
    }
    const server = await started(() => HttpResponse.stream(endless(), plain))
    const client = await RawClient.connect(server.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n')
    await client.until('\r\n\r\n')
    client.reset()
    await finished.promise
    const [ended] = await server.untilEnded(1)
    expect(ended?.outcome.result).toBe('aborted')
    expect(server.reports).toEqual([])
  })

  test('destroys a stream of Node that waits for data', async () => {
    const source = new Readable({ read: () => undefined })
    const closed = new Promise(resolve => source.on('close', resolve))
    const server = await started(() => HttpResponse.stream(source, plain))
    const client = await RawClient.connect(server.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n')
    source.push('something')
    await client.until('\r\n\r\n')
    client.reset()
    await closed
    await server.untilEnded(1)
    expect(server.reports).toEqual([])
  })

  test('gives its place free even when the source never settles', async () => {
    const never = gated()
    const server = await started(
      path =>
        path === '/never'
          ? HttpResponse.stream(never, plain)
          : HttpResponse.stream(Readable.from([text]), plain),
      { maxStreams: 1 },
    )
    const got = LiveClient.get(server.port, '/never', 'gzip')
    never.give('something')
    const { client } = await got
    await client.untilText('something')
    expect(await codingOf(server, '/other')).toBeUndefined()
    client.raw.reset()
    await server.untilEnded(2)
    expect(await codingOf(server, '/other')).toBe('gzip')
    never.give(null)
    await never.returned.promise
  })
})

async function codingOf(server: TestServer, url: string): Promise<string | undefined> {
  const answer = await server.server.inject({ url, headers: { 'accept-encoding': 'gzip' } })
  // Without a coding for want of a place, it is no form for a cache.
  const isCoded = answer.headers.has('content-encoding')
  expect(answer.headers.get('vary')).toBe(isCoded ? 'Accept-Encoding' : '*')
  expect(decoded(answer.headers.get('content-encoding'), answer.body).toString()).toBe(text)
  return answer.headers.get('content-encoding')
}

/** Asks for what may not come without a coding. */
const forced = (server: TestServer, url: string) =>
  server.server.inject({ url, headers: { 'accept-encoding': 'gzip, identity;q=0' } })

describe('a source that fails', () => {
  test('before its first piece is a 500 without a coding', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it could.
    const failing = async function* (): AsyncGenerator<string> {
      throw new Error('the source is dry')
    }
    const server = await started(() => HttpResponse.stream(failing(), plain))
    const answer = await fetch(server.url, { headers: { 'accept-encoding': 'br' } })
    expect(answer.status).toBe(500)
    expect(answer.headers.get('content-encoding')).toBeNull()
    const { plugin, message } = await server.untilReported('TAP_FAILED')
    expect(plugin).toBe('test-answer')
    expect(message).toContain('the source is dry')
  })

  test('half-way breaks the answer off, and the report names its plugin and its words', async () => {
    const failing = async function* () {
      yield randomBytes(200_000)
      throw new Error('the source is dry')
    }
    const server = await started(() => HttpResponse.stream(failing(), plain))
    await using client = await RawClient.connect(server.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n')
    expect(await client.closed).toBe('end')
    const [ended] = await server.untilEnded(1)
    expect(ended?.outcome.result).toBe('failed')
    expect(server.reports).toMatchObject([
      { plugin: 'test-answer', message: expect.stringContaining('the source is dry') },
    ])
  })

  test('by a piece that is none says what a piece is', async () => {
    const server = await started(() => HttpResponse.stream(Readable.from([7]), plain))
    const answer = await fetch(server.url, { headers: { 'accept-encoding': 'br' } })
    expect(answer.status).toBe(500)
    expect(server.reports[0]?.message).toContain(
      'a piece of a body must be a Uint8Array or a string, got number',
    )
  })
})

describe('above the number of streams', () => {
  const hold = async (server: TestServer, path: string, source: ReturnType<typeof gated>) => {
    const got = LiveClient.get(server.port, path, 'gzip')
    source.give('something')
    const { client, head } = await got
    onTestFinished(() => client[Symbol.asyncDispose]())
    return { client, head }
  }

  test('streams go as they are, bodies in memory are still compressed', async () => {
    const held = gated()
    const server = await started(
      path => {
        if (path === '/held') return HttpResponse.stream(held, plain)
        return path === '/whole' ? HttpResponse.text(text) : HttpResponse.stream(Readable.from([text]), plain)
      },
      { maxStreams: 1 },
    )
    const { client } = await hold(server, '/held', held)
    await client.untilText('something')
    expect(await codingOf(server, '/stream')).toBeUndefined()
    expect(await codingOf(server, '/whole')).toBe('gzip')
    expect((await forced(server, '/stream')).status).toBe(406)
    held.give(null)
    await server.untilEnded(4)
    expect(await codingOf(server, '/stream')).toBe('gzip')
  })

  test('event streams take half of the places', async () => {
    const held = gated()
    const server = await started(
      path => {
        if (path === '/held') return HttpResponse.events(held)
        if (path === '/short') return HttpResponse.stream(Readable.from(['data: x\n\n']), short)
        return path === '/events'
          ? new HttpResponse(200, Readable.from([text]), { 'content-type': 'text/event-stream' })
          : HttpResponse.stream(Readable.from([text]), plain)
      },
      { maxStreams: 2 },
    )
    const { client } = await hold(server, '/held', held)
    await client.untilText('something')
    expect(await codingOf(server, '/events')).toBeUndefined()
    expect(await codingOf(server, '/stream')).toBe('gzip')
    expect((await forced(server, '/short')).status).toBe(406)
    held.give(null)
    await server.untilEnded(4)
    expect(await codingOf(server, '/events')).toBe('gzip')
    expect((await forced(server, '/short')).status).toBe(200)
  })

  test('0 means that no stream is compressed', async () => {
    const server = await started(() => HttpResponse.stream(Readable.from([text]), plain), { maxStreams: 0 })
    expect(await codingOf(server, '/')).toBeUndefined()
  })
})

test('empty pieces bring nothing out, and do no harm', async () => {
  const pieces = Readable.from(['', text, '', text, ''])
  const ask = await serving(() => new HttpResponse(200, pieces, { 'content-type': 'text/event-stream' }))
  const { body } = await ask({ 'accept-encoding': 'zstd' })
  expect(decoded('zstd', body).toString()).toBe(text + text)
})

test('HTTP/1.0 gets a coding too, and the end of the connection as the end', async () => {
  const server = await started(() => HttpResponse.stream(Readable.from([text]), plain))
  await using client = await RawClient.connect(server.port)
  client.send('GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n')
  const { body, field } = await client.response()
  expect(field('content-encoding')).toBe('gzip')
  expect(decoded('gzip', body).toString()).toBe(text)
  expect(body.length).toBeLessThan(gzipSync(text).length + 20)
})
