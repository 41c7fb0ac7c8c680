import fc from 'fast-check'
import { definePlugin, type HttpRequest, HttpResponse, type Outcome } from 'rawhttp'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type HeadFacts, headText } from '../../core/head-bytes.ts'
import { bytesOf } from '../../core/response-body.ts'
import { sentText } from '../../core/sent-message.ts'
import { get, request } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

const now = Date.UTC(1994, 10, 6, 8, 49, 37)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A plugin that changes answers in `deliver`, and keeps what `done` tells. */
function delivering(change: (response: HttpResponse, request: HttpRequest) => void) {
  const outcomes: Outcome[] = []
  const plugin = definePlugin({
    name: 'test-deliver',
    site(site) {
      site.hooks.deliver.tap('change', (response, request) => {
        change(response, request)
      })
      site.hooks.done.tap('keep', (_request, _response, outcome) => {
        outcomes.push(outcome)
      })
    },
  })()
  return { plugin, outcomes }
}

const page = HttpResponse.html('<p>hällo</p>', {
  headers: { etag: '"1"', 'last-modified': 'x' },
}).transformed()

/** Serves one finished answer to all. */
async function serve(change: (response: HttpResponse, request: HttpRequest) => void = () => {}, base = page) {
  const { plugin, outcomes } = delivering(change)
  const served = await startServer({ plugins: [answering(() => base), plugin] })
  const client = await RawClient.connect(served.port)
  return {
    outcomes,
    client,
    port: served.port,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

describe('an answer that goes to many clients', () => {
  test('is the same for each, but for the Date of its second', async () => {
    await using served = await serve()
    const { client, outcomes } = served
    for (const moment of [0, 1, 2, 999, 1_000, 1_001, 1_002, 61_000]) {
      vi.setSystemTime(now + moment)
      client.send(get())
      const { status, body, field } = await client.response()
      expect(field('date')).toBe(new Date(now + moment).toUTCString())
      expect([status, field('content-type'), field('etag')]).toEqual([200, 'text/html; charset=utf-8', '"1"'])
      expect(field('content-length')).toBe('13')
      expect(body.toString()).toBe('<p>hällo</p>')
    }
    expect(new Set(outcomes.map(({ bytes }) => bytes)).size).toBe(1)
    expect(outcomes.every(({ bodyBytes }) => bodyBytes === 13)).toBe(true)
  })

  test('has what a tap adds for one client in no other client’s answer', async () => {
    await using served = await serve((response, { path }) => {
      if (path !== '/plain') response.append('set-cookie', `for=${path}`)
    })
    for (const path of ['/a', '/a', '/a', '/plain', '/b', '/plain', '/a', '/b', '/b']) {
      served.client.send(get(path))
      const { field } = await served.client.response()
      expect(field('set-cookie')).toBe(path === '/plain' ? undefined : `for=${path}`)
    }
  })

  test('lacks what a tap takes away from one client, and for that client alone', async () => {
    await using served = await serve((response, { path }) => {
      if (path === '/bare') response.delete('x-more')
      if (path === '/other') response.set('x-more', 'other')
    }, HttpResponse.text('x').set('x-more', 'yes').transformed())
    const given = { '/': 'yes', '/bare': undefined, '/other': 'other' }
    for (const path of ['/', '/', '/', '/bare', '/bare', '/other', '/', '/other'] as const) {
      served.client.send(get(path))
      expect((await served.client.response()).field('x-more')).toBe(given[path])
    }
  })

  test('says to each whether its connection stays open', async () => {
    await using served = await serve()
    const old = 'GET / HTTP/1.0\r\nHost: a\r\n'
    for (let round = 0; round < 4; round++) {
      await using client = await RawClient.connect(served.port)
      client.send(get())
      expect((await client.response()).field('connection')).toBeUndefined()
      client.send(`${old}Connection: keep-alive\r\n\r\n`)
      expect((await client.response()).field('connection')).toBe('keep-alive')
      client.send(round % 2 === 0 ? `${old}\r\n` : get('/', 'Connection: close'))
      expect((await client.response()).field('connection')).toBe('close')
      await client.rest()
    }
  })

  test('has no body for HEAD, and none for who has it already', async () => {
    await using served = await serve()
    const { client } = served
    for (let round = 0; round < 4; round++) {
      client.send(request('HEAD', '/'))
      const head = await client.response({ toHead: true })
      client.send(get())
      const whole = await client.response()
      expect([head.status, head.fields]).toEqual([200, whole.fields])
      client.send(get('/', 'If-None-Match: "1"'))
      const short = await client.response()
      expect(short.status).toBe(304)
      expect([short.field('content-length'), short.body.length]).toEqual([undefined, 0])
    }
  })

  test('gives each the part that it asks for', async () => {
    const digits = Buffer.from('0123456789')
    await using served = await serve(() => {}, HttpResponse.bytes(digits).transformed())
    for (const [from, to] of [[2, 4], null, [2, 4], [3, 4], null, null, [2, 4]].map(at => at ?? [0, 9])) {
      served.client.send(to === 9 ? get() : get('/', `Range: bytes=${from}-${to}`))
      const { body, status } = await served.client.response()
      expect(status).toBe(to === 9 ? 200 : 206)
      expect(body.toString()).toBe('0123456789'.slice(from, to! + 1))
    }
  })

  test('keeps every byte of its body', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await using served = await serve(() => {}, HttpResponse.bytes(all).transformed())
    for (let round = 0; round < 4; round++) {
      served.client.send(get())
      expect((await served.client.response()).body).toEqual(all)
    }
  })

  test('keeps its place among the answers of a pipeline', async () => {
    await using served = await serve((response, { path }) => void response.set('x-path', path))
    const paths = ['/a', '/a', '/b', '/a', '/a', '/c', '/a']
    served.client.send(paths.map(path => get(path)).join(''))
    for (const path of paths) {
      const { body, field } = await served.client.response()
      expect([field('x-path'), body.toString()]).toEqual([path, '<p>hällo</p>'])
    }
  })
})

// --- against what is made each time -----------------------------------------------------------------------------

const facts: HeadFacts = { minor: 1, isHead: false, length: null, keepAlive: true }

function made(response: HttpResponse, how: HeadFacts): string {
  const { body } = response
  return headText(response, how) + (body === null ? '' : bytesOf(body).toString('latin1'))
}

const send = (base: HttpResponse): string | null =>
  sentText(base.fork().deliver(), { ...facts, length: base.length })

describe('the text of a message that was sent before', () => {
  test('is, whatever came before it, what would have been made', () => {
    const line = fc.constantFrom(['x-a', '1'], ['x-a', '2'], ['x-b', '1'], ['x-late', 'late'])
    const one = fc.record({
      base: fc.nat({ max: 2 }),
      lines: fc.array(line, { maxLength: 2 }),
      hides: fc.boolean(),
      minor: fc.constantFrom<0 | 1>(0, 1),
      keepAlive: fc.boolean(),
      later: fc.constantFrom(0, 0, 0, 0, 400, 1_000),
    })
    let hits = 0
    const sequence = fc.property(fc.array(one, { minLength: 20, maxLength: 60 }), all => {
      const bases = [
        HttpResponse.text('häl'),
        HttpResponse.bytes(Buffer.from([0, 255])),
        HttpResponse.empty(304),
      ]
      for (const base of bases) base.set('x-z', 'z').transformed().seal()
      for (const { base: at, lines, hides, minor, keepAlive, later } of all) {
        vi.setSystemTime(Date.now() + later)
        const fork = bases[at]!.fork().deliver()
        for (const [name, value] of lines) fork.append(name!, value!)
        if (hides) fork.delete('x-z')
        const how: HeadFacts = { minor, isHead: false, keepAlive, length: fork.length }
        const text = sentText(fork, how)
        if (text !== null) hits++
        expect(text ?? made(fork, how)).toBe(made(fork, how))
        // What is done to a fork later is none of the others' business.
        fork.append('x-late', 'late')
      }
    })
    fc.assert(sequence)
    expect(hits).toBeGreaterThan(100)
  })

  test('is remembered from the second time of a second on', () => {
    const base = HttpResponse.text('x').transformed().seal()
    expect(send(base)).toBeNull()
    expect(send(base)).toContain('\r\n\r\nx')
    vi.setSystemTime(now + 1_000)
    expect(send(base)).toBeNull()
    expect(send(base)).toContain('08:49:38')
  })

  test.each<[string, () => HttpResponse, Partial<HeadFacts>]>([
    ['an answer that is not marked as finished', () => HttpResponse.text('x'), { length: 1 }],
    ['an answer to HEAD', () => HttpResponse.text('x').transformed(), { length: 1, isHead: true }],
    ['a large body', () => HttpResponse.text('x'.repeat(20_000)).transformed(), { length: 20_000 }],
    ['a body that is not sent', () => HttpResponse.text('x', 205).transformed(), { length: 0 }],
    ['a body that a 204 never has', () => HttpResponse.text('x', 204).transformed(), { length: 1 }],
    ['a body that a 304 never has', () => HttpResponse.text('x', 304).transformed(), { length: 1 }],
    ['a stream', () => HttpResponse.stream((async function* () {})()).transformed(), {}],
  ])('is made each time for %s', (_, make, how) => {
    const base = make().seal()
    for (let round = 0; round < 3; round++) {
      expect(sentText(base.fork().deliver(), { ...facts, ...how })).toBeNull()
    }
  })

  test('is made each time for a fork of another status or body', () => {
    const base = HttpResponse.text('x').transformed().seal()
    const [first, second] = [base.fork(), base.fork()]
    first.status = 404
    second.body = 'y'
    for (let round = 0; round < 3; round++) {
      expect(sentText(first, { ...facts, length: 1 })).toBeNull()
      expect(sentText(second, { ...facts, length: 1 })).toBeNull()
    }
  })

  test('is remembered for 256 answers at a time, and the next second has room again', () => {
    const bases = Array.from({ length: 300 }, () => HttpResponse.text('x').transformed().seal())
    const remembered = () => bases.filter(base => send(base) !== null || send(base) !== null).length
    expect(remembered()).toBe(256)
    expect(remembered()).toBe(256)
    vi.setSystemTime(now + 1_000)
    expect(remembered()).toBe(256)
  })
})
