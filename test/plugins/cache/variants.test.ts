import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { encoding, sent } from './encoding.ts'
import { cached, numbered, statusOf, stoppedClock } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

describe('by Accept-Encoding', () => {
  async function encoded(fields: Readonly<Record<string, string>> = { etag: '"v1"' }) {
    const { plugin, made } = encoding()
    const site = await cached(
      () => HttpResponse.text('text '.repeat(100), { headers: { ...FRESH, ...fields } }),
      {},
      [plugin],
    )
    const codingOf = async (accepted: string | null) => {
      const answer = await site.ask({ headers: accepted === null ? {} : { 'accept-encoding': accepted } })
      return answer.headers.get('content-encoding') ?? 'identity'
    }
    return { site, made, codingOf }
  }

  test('each client gets a coding that it takes, and each is made once', async () => {
    const { site, made, codingOf } = await encoded()
    const wishes = [
      'gzip, br',
      null,
      'gzip',
      'br',
      'zstd',
      'identity',
      'gzip, br',
      null,
      'gzip',
      'br',
      'zstd',
    ]
    const got: string[] = []
    for (const wish of wishes) got.push(await codingOf(wish))
    expect(got.join(' ')).toBe('br identity gzip br zstd identity br identity gzip br zstd')
    expect(sent(made)).toEqual(['br to send', 'gzip to send', 'zstd to send'])
    // Six spellings, each known after its first time.
    expect(site.runs).toBe(6)
    expect(site.service.stats.stored).toBe(4)
  })

  test('spellings that mean the same are one', async () => {
    const { site, codingOf } = await encoded()
    for (const wish of [
      'gzip, br',
      'gzip,br',
      'GZIP ,\tBr',
      'gzip;q=1, br;q=1.000',
      'x-gzip, br, unknown',
      'gzip, br, deflate;q=0',
    ])
      expect(await codingOf(wish)).toBe('br')
    expect(site.runs).toBe(1)
  })

  test('ten thousand spellings make four variants at most', async () => {
    const { site, made, codingOf } = await encoded()
    const codings = ['gzip', 'br', 'zstd', 'deflate', 'identity', '*', 'compress', 'x']
    let seed = 1
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let i = 0; i < 10_000; i++) {
      const members = Array.from({ length: random(6) }, () => {
        const quality = [';q=0', ';q=1', ';Q=0.5', ` ; q=0.${random(1_000)}`, ';q=zero', ''][random(6)]
        return `${codings[random(8)]}${quality}`
      })
      await codingOf(members.join([',', ', ', ' ,'][random(3)]))
    }
    expect(site.service.stats.stored).toBeLessThanOrEqual(4)
    expect(sent(made).length).toBeLessThanOrEqual(3)
  })

  test('one that was made anew is there for every spelling that leads to it', async () => {
    const clock = stoppedClock()
    const { site, codingOf } = await encoded()
    for (const wish of ['gzip', 'gzip, deflate']) await codingOf(wish)
    clock.move(60_000)
    for (const wish of ['gzip', 'gzip, deflate']) expect(await codingOf(wish)).toBe('gzip')
    expect(site.runs).toBe(3)
  })

  test('256 spellings of one key are known, the latest', async () => {
    const { site, codingOf } = await encoded()
    for (let i = 0; i < 300; i++) await codingOf(`gzip;v=${i}`)
    expect(site.runs).toBe(300)
    await codingOf('gzip;v=299')
    await codingOf('gzip;v=44')
    expect(site.runs).toBe(300)
    await codingOf('gzip;v=43')
    expect(site.runs).toBe(301)
  })

  test('an answer without a validator cannot be known again: it is made anew for a new spelling', async () => {
    const { site, made, codingOf } = await encoded({})
    for (const wish of ['gzip', 'gzip, deflate', 'gzip', 'gzip, deflate'])
      expect(await codingOf(wish)).toBe('gzip')
    expect([site.runs, sent(made).length]).toEqual([2, 2])
  })

  test('a part that is asked for does not become the whole for others', async () => {
    const { site, codingOf } = await encoded()
    await site.ask({ headers: { range: 'bytes=0-3', 'accept-encoding': 'gzip' } })
    expect(await codingOf('gzip')).toBe('gzip')
  })
})

describe('by other fields', () => {
  test('a client gets the answer to the same words', async () => {
    const site = await cached((request, run) =>
      HttpResponse.text(`${request.headers.get('accept-language')} ${run}`, {
        headers: { ...FRESH, vary: 'Accept-Language, X-Side' },
      }),
    )
    const ask = async (headers: Record<string, string>) => (await site.ask({ headers })).text()
    expect(await ask({ 'accept-language': 'en, de;q=0.5' })).toBe('en, de;q=0.5 1')
    expect(await ask({ 'accept-language': 'EN,de ; q=0.5' })).toBe('en, de;q=0.5 1')
    expect(await ask({ 'accept-language': 'de, en' })).toBe('de, en 2')
    expect(await ask({ 'accept-language': 'de, en', 'x-side': 'left' })).toBe('de, en 3')
    expect(await ask({ 'accept-language': 'de, en', 'x-side': 'Left' })).toBe('de, en 4')
    expect(await ask({ 'accept-language': 'de, en', 'x-side': '' })).toBe('de, en 5')
    expect(await ask({ 'accept-language': 'de, en' })).toBe('de, en 2')
  })

  test('a field that a later answer names too parts what was stored before', async () => {
    const site = await cached((request, run) =>
      HttpResponse.text(`run ${run}`, {
        headers: { ...FRESH, vary: request.headers.has('x-b') ? 'x-a, x-b' : 'x-a' },
      }),
    )
    const ask = async (headers: Record<string, string>) => (await site.ask({ headers })).text()
    expect(await ask({ 'x-a': '1' })).toBe('run 1')
    expect(await ask({ 'x-a': '2', 'x-b': '1' })).toBe('run 2')
    expect(await ask({ 'x-a': '2', 'x-b': '2' })).toBe('run 3')
    expect(await ask({ 'x-a': '2', 'x-b': '1' })).toBe('run 2')
    expect(await ask({ 'x-a': '1' })).toBe('run 4')
  })

  test('32 variants of one key are kept, the latest', async () => {
    const site = await cached(numbered({ ...FRESH, vary: 'x-n' }))
    const ask = async (n: number) => (await site.ask({ headers: { 'x-n': String(n) } })).text()
    for (let n = 1; n <= 40; n++) await ask(n)
    expect(await ask(40)).toBe('run 40')
    expect(await ask(9)).toBe('run 9')
    expect(await ask(8)).toBe('run 41')
    expect(await ask(9)).toBe('run 42')
    expect(site.service.stats.entries).toBe(1)
  })

  test('a miss says whether there is something else for the same URL', async () => {
    const site = await cached(numbered({ ...FRESH, vary: 'x-n' }))
    expect(statusOf(await site.ask({ headers: { 'x-n': '1' } }))).toBe('fwd=uri-miss; stored')
    expect(statusOf(await site.ask({ headers: { 'x-n': '2' } }))).toBe('fwd=vary-miss; stored')
  })
})
