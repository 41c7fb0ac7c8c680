import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { cached, numbered, stoppedClock } from './origin.ts'

async function runsOf(fields: Readonly<Record<string, string>>, status = 200, asked = {}): Promise<number> {
  const site = await cached(numbered(fields, status))
  const first = await site.ask({ url: '/a', headers: asked })
  const second = await site.ask({ url: '/a', headers: asked })
  expect([first.status, second.status]).toEqual([status, status])
  expect(second.text()).toBe(`run ${site.runs}`)
  return site.runs
}

describe('stored is', () => {
  test.each([
    ['max-age', { 'cache-control': 'max-age=60' }],
    ['Max-Age, since case means nothing', { 'cache-control': 'Public, Max-Age=60' }],
    ['s-maxage, which wins over max-age', { 'cache-control': 'max-age=0, s-maxage=60' }],
    ['a quoted number', { 'cache-control': 'max-age="60"' }],
    ['Expires in the future', { expires: new Date(Date.now() + 60_000).toUTCString() }],
    ['immutable with a time', { 'cache-control': 'max-age=60, immutable' }],
    ['must-revalidate while it is fresh', { 'cache-control': 'max-age=60, must-revalidate' }],
    [
      'a coding of its own that it was not chosen by',
      { 'cache-control': 'max-age=60', 'content-encoding': 'dcz' },
    ],
    ['an age below the time', { 'cache-control': 'max-age=60', age: '59' }],
  ])('what says %s', async (_what, fields) => {
    expect(await runsOf(fields)).toBe(1)
  })

  test.each([203, 301, 302, 404, 410, 501])('a %i that says so', async status => {
    expect(await runsOf({ 'cache-control': 'max-age=60' }, status)).toBe(1)
  })

  test('an answer without a body', async () => {
    const site = await cached(() => HttpResponse.empty({ headers: { 'cache-control': 'max-age=60' } }))
    await site.ask()
    expect((await site.ask()).status).toBe(204)
    expect(site.runs).toBe(1)
  })
})

describe('not stored is', () => {
  test.each([
    ['no-store', { 'cache-control': 'max-age=60, no-store' }],
    ['private', { 'cache-control': 'private, max-age=60' }],
    ['private for a field, which is taken for all of it', { 'cache-control': 'private="x-a", max-age=60' }],
    ['no-cache', { 'cache-control': 'no-cache, max-age=60' }],
    ['nothing', {}],
    ['public alone, since freshness is never guessed', { 'cache-control': 'public' }],
    ['a validator alone', { etag: '"a"', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }],
    ['max-age=0', { 'cache-control': 'max-age=0' }],
    ['a time that is no number', { 'cache-control': 'max-age=soon' }],
    ['two times, of which the shorter one is none', { 'cache-control': 'max-age=60, max-age=0' }],
    ['Expires that cannot be read', { expires: '0' }],
    ['an age that has used its time up', { 'cache-control': 'max-age=60', age: '60' }],
    ['a cookie', { 'cache-control': 'public, max-age=60', 'set-cookie': 'a=b' }],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: 'accept, *' }],
    ['that it is a stream of events', { 'cache-control': 'max-age=60', 'content-type': 'text/event-stream' }],
    ['that it is a part', { 'cache-control': 'max-age=60', 'content-range': 'bytes 0-4/10' }],
    [
      'a coding that nobody can be asked for by a known name',
      { 'cache-control': 'max-age=60', vary: 'accept-encoding', 'content-encoding': 'dcz' },
    ],
  ])('what says %s', async (_what, fields) => {
    expect(await runsOf(fields)).toBe(2)
  })

  test.each([206, 400, 500, 503])('a %i, whatever it says', async status => {
    expect(await runsOf({ 'cache-control': 'public, max-age=60' }, status)).toBe(2)
  })

  test('an answer to a request with Authorization, unless it is for all', async () => {
    const authorization = { authorization: 'Basic YTpi' }
    expect(await runsOf({ 'cache-control': 'max-age=60' }, 200, authorization)).toBe(2)
    for (const directive of ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60'])
      expect(await runsOf({ 'cache-control': directive }, 200, authorization)).toBe(1)
  })

  test('an answer to GET with content, which is not in the key', async () => {
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }))
    await site.ask({ url: '/a', body: 'query' })
    await site.ask({ url: '/a' })
    await site.ask({ url: '/a', body: 'other' })
    expect(site.runs).toBe(3)
    await site.ask({ url: '/a', headers: { 'content-length': '0' } })
    expect(site.runs).toBe(3)
  })
})

describe('a stored answer', () => {
  test('has the fields of the first one, its Date and an Age', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': 'max-age=60', 'x-a': 'b', etag: '"1"' }))
    const made = new Date(Date.now()).toUTCString()
    await site.ask()
    clock.move(7_900)
    const { headers } = await site.ask()
    expect(headers.toObject()).toMatchObject({ 'x-a': 'b', etag: '"1"', age: '7', date: made })
    expect(headers.get('content-length')).toBe('5')
    clock.move(1_000)
    const later = await site.ask()
    expect([later.headers.get('age'), later.headers.get('cache-status')]).toEqual([
      '8',
      'rawhttp; hit; ttl=52',
    ])
  })

  test('is used as long as it is fresh, to the millisecond', async () => {
    const clock = stoppedClock()
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }))
    await site.ask()
    clock.move(59_999)
    expect((await site.ask()).text()).toBe('run 1')
    clock.move(1)
    expect((await site.ask()).text()).toBe('run 2')
  })

  test('counts the age and the date that it came with', async () => {
    const clock = stoppedClock()
    const date = new Date(Date.now() - 20_000).toUTCString()
    const site = await cached(numbered({ 'cache-control': 'max-age=60', age: '10', date }))
    await site.ask()
    clock.move(5_000)
    expect((await site.ask()).headers.get('age')).toBe('25')
    clock.move(35_000)
    expect((await site.ask()).text()).toBe('run 2')
  })

  test('answers HEAD and conditions, which the kernel fits to the client', async () => {
    const site = await cached(numbered({ 'cache-control': 'max-age=60', etag: '"1"' }))
    await site.ask()
    const head = await site.ask({ method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), head.text()]).toEqual([200, '5', ''])
    const conditional = await site.ask({ headers: { 'if-none-match': '"1"' } })
    expect([conditional.status, conditional.headers.get('age')]).toEqual([304, '0'])
    expect(site.runs).toBe(1)
  })

  test('is a copy: bytes that the handler uses again do not change it', async () => {
    const scratch = Buffer.from('first')
    const site = await cached(() =>
      HttpResponse.bytes(scratch, { headers: { 'cache-control': 'max-age=60' } }),
    )
    await site.ask()
    scratch.write('other')
    expect((await site.ask()).text()).toBe('first')
  })

  test('is given to whoever asks for the same site, scheme, host, path and query', async () => {
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }))
    const runsAfter = async (url: string, host?: string) => {
      await site.ask({ url, headers: host === undefined ? {} : { host } })
      return site.runs
    }
    expect(await runsAfter('/a?x=1&y=2', 'Example.com:80')).toBe(1)
    expect(await runsAfter('/b/../%61?x=1&y=2', 'example.com.')).toBe(1)
    expect(await runsAfter('/a?y=2&x=1', 'example.com')).toBe(2)
    expect(await runsAfter('/A?x=1&y=2', 'example.com')).toBe(3)
    expect(await runsAfter('/a?x=1&y=2', 'example.com:8080')).toBe(4)
    expect(await runsAfter('/a?x=1&y=2', 'example.org')).toBe(5)
    expect(await runsAfter('https://example.com/a?x=1&y=2')).toBe(6)
    expect(await runsAfter('http://example.com/a?x=1&y=2')).toBe(6)
  })

  test('does not hold a cookie that deliver sets for one client', async () => {
    let count = 0
    const cookies = (await import('../../support/in-memory.ts')).onSite('cookies', site =>
      site.hooks.deliver.tap('cookies', response => void response.append('set-cookie', `n=${++count}`)),
    )
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }), {}, [cookies])
    const seen = [await site.ask(), await site.ask()].map(({ headers }) => headers.get('set-cookie'))
    expect(seen).toEqual(['n=1', 'n=2'])
    expect(site.runs).toBe(1)
  })
})

describe('HEAD', () => {
  test('that finds nothing stored fills nothing', async () => {
    const site = await cached(numbered({ 'cache-control': 'max-age=60' }))
    await site.ask({ method: 'HEAD' })
    await site.ask({ method: 'HEAD' })
    expect(site.runs).toBe(2)
    expect((await site.ask()).text()).toBe('run 3')
    await site.ask({ method: 'HEAD' })
    expect(site.runs).toBe(3)
  })
})

test('a part that is asked for fills nothing', async () => {
  const site = await cached(numbered({ 'cache-control': 'max-age=60' }))
  await site.ask({ headers: { range: 'bytes=0-1' } })
  expect(site.service.stats.entries).toBe(0)
  await site.ask()
  await site.ask({ headers: { range: 'bytes=0-1' } })
  expect(site.runs).toBe(2)
})
