import { readdirSync, readlinkSync } from 'node:fs'
import { HttpResponse } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { describe, expect, test, vi } from 'vitest'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { turns } from '../../support/turns.ts'
import { encoding } from './encoding.ts'
import { cached, origin } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

/** What this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').map(descriptor => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`)
    } catch {
      // It was closed meanwhile.
      return ''
    }
  })
}

/** A stream that gives what it is told to. */
function faucet() {
  const queue: (string | Error | null)[] = []
  let wake = () => {}
  let isOver = false
  const give = (piece: string | Error | null) => {
    queue.push(piece)
    wake()
  }
  async function* body() {
    try {
      for (;;) {
        while (queue.length === 0) await new Promise<void>(resolve => (wake = resolve))
        const piece = queue.shift()!
        if (piece === null) return
        if (piece instanceof Error) throw piece
        yield piece
      }
    } finally {
      isOver = true
    }
  }
  return { give, body: body(), isOver: () => isOver }
}

describe('a stream', () => {
  test('is stored when it has ended, and its first client gets its pieces as they come', async () => {
    const { give, body } = faucet()
    const { plugin, runs } = origin(() => HttpResponse.stream(body, { headers: { ...FRESH, etag: '"e"' } }))
    await using server = await startServer({ plugins: [cache(), plugin] })
    await using client = await RawClient.connect(server.port)
    client.send('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    give('one ')
    await client.until('one ')
    const waiting = server.server.inject()
    give('two')
    give(null)
    expect((await waiting).text()).toBe('one two')
    const again = await server.server.inject()
    expect([again.text(), again.headers.get('etag'), again.headers.get('content-length')]).toEqual([
      'one two',
      '"e"',
      '7',
    ])
    expect(runs()).toBe(1)
  })

  test('keeps its declared length, and is stored only if it has it', async () => {
    for (const [length, runsAfter] of [
      [6, 1],
      [9, 2],
      [3, 2],
    ] as const) {
      const site = await cached(() => {
        async function* body() {
          yield 'abc'
          yield 'def'
        }
        return HttpResponse.stream(body(), { length, headers: FRESH })
      })
      const first = await site.ask().catch((error: Error) => error)
      if (!(first instanceof Error)) expect(first.headers.get('content-length')).toBe(String(length))
      await site.ask().catch(() => null)
      expect(site.runs).toBe(runsAfter)
    }
  })

  test('that breaks off is not stored, and those who waited make it themselves', async () => {
    const faucets: ReturnType<typeof faucet>[] = []
    const site = await cached(() => {
      faucets.push(faucet())
      return HttpResponse.stream(faucets.at(-1)!.body, { headers: FRESH })
    })
    const asked = [site.ask(), site.ask()].map(answer => answer.catch((error: Error) => error.message))
    await turns()
    faucets[0]!.give('some')
    await turns()
    faucets[0]!.give(new Error('broken off'))
    await turns()
    expect(faucets.length).toBe(2)
    faucets[1]!.give('whole')
    faucets[1]!.give(null)
    const answers = await Promise.all(asked)
    expect(answers[0]).toBe('broken off')
    expect((answers[1] as Awaited<ReturnType<typeof site.ask>>).text()).toBe('whole')
    expect((await site.ask()).text()).toBe('whole')
  })

  test('that is too large passes through unharmed, and nobody waits for it again', async () => {
    const pieces = Array.from({ length: 50 }, (_, i) => String(i % 10).repeat(1_000))
    const site = await cached(
      () => {
        async function* body() {
          yield* pieces
        }
        return HttpResponse.stream(body(), { headers: FRESH })
      },
      { maxEntrySize: '10kb' },
    )
    const asked = await Promise.all([site.ask(), site.ask(), site.ask()])
    for (const answer of asked) expect(answer.text()).toBe(pieces.join(''))
    expect(site.runs).toBe(3)
    expect(site.service.stats.entries).toBe(0)
  })

  test('that was too large is waited for by nobody the next time', async () => {
    const faucets: ReturnType<typeof faucet>[] = []
    const site = await cached(
      () => {
        faucets.push(faucet())
        return HttpResponse.stream(faucets.at(-1)!.body, { headers: FRESH })
      },
      { maxEntrySize: '1kb' },
    )
    const asked = [site.ask()]
    await turns()
    faucets[0]!.give('x'.repeat(2_000))
    await turns()
    asked.push(site.ask(), site.ask())
    await turns()
    expect(faucets.length).toBe(3)
    for (const { give } of faucets) give(null)
    expect((await Promise.all(asked)).map(answer => answer.body.length)).toEqual([2_000, 0, 0])
  })

  test('that is too large is read on only as fast as its client takes it', async () => {
    let given = 0
    const site = origin(() => {
      async function* body() {
        for (; given < 10_000; given++) yield 'x'.repeat(10_000)
      }
      return HttpResponse.stream(body(), { headers: FRESH })
    })
    await using server = await startServer({ plugins: [cache({ maxEntrySize: '100kb' }), site.plugin] })
    await using client = await RawClient.connect(server.port)
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    for (let before = -1; before !== given; await turns(200)) before = given
    expect(given).toBeLessThan(3_000)
    expect(given).toBeGreaterThan(10)
  })

  test('that never ends is not waited for: neither by its client nor, after a while, by others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const faucets: ReturnType<typeof faucet>[] = []
      const { plugin } = origin(() => {
        faucets.push(faucet())
        return HttpResponse.stream(faucets.at(-1)!.body, { headers: FRESH })
      })
      await using server = await startServer({ plugins: [cache(), plugin] })
      const client = await RawClient.connect(server.port)
      client.send('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
      while (faucets.length === 0) await turns()
      faucets[0]!.give('tick')
      await client.until('tick')
      const waiting = server.server.inject()
      await turns()
      expect(faucets.length).toBe(1)
      vi.advanceTimersByTime(5_000)
      await turns()
      expect(faucets.length).toBe(2)
      faucets[1]!.give('whole')
      faucets[1]!.give(null)
      expect((await waiting).text()).toBe('whole')
      // From here on it goes only as long as its client does.
      client.reset()
      await server.untilEnded(2)
      faucets[0]!.give('tock')
      while (!faucets[0]!.isOver()) await turns()
    } finally {
      vi.useRealTimers()
    }
  })

  test('is encoded as it flows, and stored encoded', async () => {
    const { plugin, made } = encoding()
    const site = await cached(
      () => {
        async function* body() {
          yield 'text '.repeat(100)
        }
        return HttpResponse.stream(body(), { headers: FRESH })
      },
      {},
      [plugin],
    )
    const ask = async () =>
      (await site.ask({ headers: { 'accept-encoding': 'gzip' } })).headers.get('content-encoding')
    expect([await ask(), await ask()]).toEqual(['gzip', 'gzip'])
    // Nobody knows how long it will be: the price of keeping is for what is known to be short.
    expect([site.runs, made]).toEqual([1, ['gzip to send']])
  })

  test('that its client wants no body of is stored all the same', async () => {
    const site = await cached(() => {
      async function* body() {
        yield 'abc'
      }
      return HttpResponse.stream(body(), { headers: { ...FRESH, etag: '"e"' } })
    })
    expect((await site.ask({ headers: { 'if-none-match': '"e"' } })).status).toBe(304)
    await turns()
    expect([(await site.ask()).text(), site.runs]).toEqual(['abc', 1])
  })
})

describe('a file as a body', () => {
  test('with a time is read into memory, if it is small enough, and leaves nothing open', async () => {
    const path = await tempFile('a.bin', 'x'.repeat(50_000))
    const site = await cached(
      request => HttpResponse.file(path, { headers: { ...FRESH, 'x-path': request.path } }),
      {
        maxEntrySize: '60kb',
      },
    )
    await site.ask('/a')
    expect([(await site.ask('/a')).body.length, site.runs]).toEqual([50_000, 1])
    for (let i = 0; i < 20; i++) await site.ask(`/${i}`)
    // A file is closed in a turn of its own.
    while (openFiles().includes(path)) await turns()
    site.service.purgeAll()
    expect(site.service.stats.bytes).toBe(0)
  })
})

test('what is read for the store at the same time has a bound of its own: more of it passes through', async () => {
  const faucets: ReturnType<typeof faucet>[] = []
  const site = await cached(
    () => {
      faucets.push(faucet())
      return HttpResponse.stream(faucets.at(-1)!.body, { headers: FRESH })
    },
    { maxSize: '64kb' },
  )
  const asked = Array.from({ length: 20 }, (_, i) => site.ask(`/${i}`))
  await turns()
  for (const { give } of faucets) give('x'.repeat(10_000))
  await turns()
  expect(site.service.stats.bytes).toBeLessThanOrEqual(65_536)
  for (const { give } of faucets) give(null)
  for (const answer of await Promise.all(asked)) expect(answer.body.length).toBe(10_000)
  expect(site.service.stats.bytes).toBeLessThanOrEqual(65_536)
  expect(site.service.stats.stored).toBeGreaterThan(0)
  expect(site.service.stats.stored).toBeLessThan(4)
})
