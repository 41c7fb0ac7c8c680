import { rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FileSlice, HttpResponse, Slots, Transform } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { staticFiles } from 'rawhttp/plugins/static'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { tempFile } from '../../support/temp-file.ts'
import { encoding, sent } from './encoding.ts'
import { cached, statusOf, stoppedClock } from './origin.ts'

const LONG_AGO = new Date(Date.UTC(2025, 0, 1))

/** A folder with one file that was left alone long ago, behind encodings and a cache. */
async function files(content: string, options = {}) {
  const path = await tempFile('a.txt', content)
  await utimes(path, LONG_AGO, LONG_AGO)
  const clock = stoppedClock()
  const { plugin, made } = encoding()
  const reads: string[] = []
  // Who reads a body has it from the disk, or not.
  const watch = onSite('reads', site => {
    site.hooks.transform.tap({ name: 'reads', stage: Transform.Store + 1 }, response => {
      reads.push(response.body instanceof FileSlice ? 'file' : 'memory')
    })
  })
  const site = await serve([cache(options), plugin, watch, staticFiles({ root: dirname(path) })])
  const get = async (accepted = 'gzip', more = {}) => {
    const answer = await site.ask({ url: '/a.txt', headers: { 'accept-encoding': accepted, ...more } })
    return statusOf(answer)
  }
  return { ...site, path, clock, made, reads, get }
}

describe('a file', () => {
  test('is read and encoded once, and then served from memory as long as it is unchanged', async () => {
    const { clock, made, get } = await files('text '.repeat(1_000))
    expect(await get()).toBe('fwd=uri-miss; stored')
    for (let second = 0; second < 5; second++) {
      expect(await get()).toBe('hit')
      clock.move(1_000)
      // One look at the disk, and nothing is read or encoded for it.
      expect(await get()).toBe('fwd=stale; stored')
      expect(await get()).toBe('hit')
    }
    expect(sent(made)).toEqual(['gzip to send'])
  })

  test('is made current for all variants by one look at it', async () => {
    const { clock, made, get } = await files('text '.repeat(1_000))
    for (const coding of ['gzip', 'br', 'identity']) await get(coding)
    clock.move(1_000)
    expect(await get('gzip')).toBe('fwd=stale; stored')
    for (const coding of ['gzip', 'br', 'identity']) expect(await get(coding)).toBe('hit')
    expect(sent(made)).toEqual(['gzip to send', 'br to send'])
  })

  test('in whose place another of the same size and time comes is sent as it is now', async () => {
    const { path, clock, ask } = await files('aaaa')
    const text = async () => (await ask('/a.txt')).text()
    expect(await text()).toBe('aaaa')
    const other = `${path}.new`
    await writeFile(other, 'bbbb')
    await utimes(other, LONG_AGO, LONG_AGO)
    await rename(other, path)
    clock.move(1_000)
    expect(await text()).toBe('bbbb')
  })

  test('that has changed is sent as it is now, in every variant', async () => {
    const { path, clock, made, ask } = await files('old '.repeat(1_000))
    const text = async (accepted: string) => {
      const answer = await ask({ url: '/a.txt', headers: { 'accept-encoding': accepted } })
      return (accepted === 'gzip' ? gunzipSync(answer.body) : answer.body).toString().slice(0, 3)
    }
    expect([await text('gzip'), await text('identity')]).toEqual(['old', 'old'])
    await writeFile(path, 'new '.repeat(1_000))
    await utimes(path, LONG_AGO, new Date(Date.UTC(2025, 5, 1)))
    clock.move(1_000)
    expect([await text('gzip'), await text('identity')]).toEqual(['new', 'new'])
    expect(sent(made)).toEqual(['gzip to send', 'gzip to send'])
  })

  test('that is gone is not found, and nothing of it stays in memory', async () => {
    const { path, clock, server, ask } = await files('text')
    await ask('/a.txt')
    await rm(path)
    clock.move(1_000)
    expect((await ask('/a.txt')).status).toBe(404)
    expect(server).toBeDefined()
  })

  test('may not be stored for a request with credentials, unless it is for all', async () => {
    const { get } = await files('text')
    expect(await get('gzip', { authorization: 'a' })).toBe('fwd=bypass')
    expect(await get('gzip', { authorization: 'a' })).toBe('fwd=bypass')
    expect(await get('gzip')).toBe('fwd=uri-miss; stored')
    expect(await get('gzip', { authorization: 'a' })).toBe('fwd=bypass')
  })

  test('that is larger than what is kept is read from the disk each time, and nobody waits for it', async () => {
    const { get, reads, made } = await files('x'.repeat(20_000), { maxEntrySize: '10kb' })
    expect(await get('identity')).toBe('fwd=uri-miss')
    expect(await get('identity')).toBe('fwd=uri-miss')
    expect(reads).toEqual(['file', 'file'])
    await get('gzip')
    expect(made).toEqual(['gzip to send'])
  })

  test('has no Age: it was compared with the disk a moment ago', async () => {
    const { ask } = await files('text')
    await ask('/a.txt')
    const { headers } = await ask('/a.txt')
    expect([headers.has('age'), headers.get('cache-status')]).toEqual([false, 'rawhttp; hit'])
  })
})

describe('an answer that knows whether it is current', () => {
  test('is kept although it says no-cache, since it is checked each time', async () => {
    let isCurrent = true
    const site = await cached((_request, run) => {
      const response = HttpResponse.text(`run ${run}`, { headers: { 'cache-control': 'no-cache' } })
      response.isCurrent = () => isCurrent
      return response
    })
    await site.ask()
    expect((await site.ask()).text()).toBe('run 1')
    isCurrent = false
    expect((await site.ask()).text()).toBe('run 2')
    expect((await site.ask()).text()).toBe('run 3')
  })

  test('is made anew when another object speaks for it, whatever its tag: another file may have the same', async () => {
    const sources = [true]
    const site = await cached((_request, run) => {
      sources[run] = true
      const response = HttpResponse.text(`run ${run}`, { headers: { etag: '"same"' } })
      response.isCurrent = () => sources[run]!
      return response
    })
    await site.ask()
    sources[1] = false
    expect((await site.ask()).text()).toBe('run 2')
    expect(statusOf(await site.ask())).toBe('hit')
  })

  test('stays beside one of another source under the same URL: a coded file of its own', async () => {
    const site = await cached((request, run) => {
      const coding = request.headers.get('accept-encoding')!
      const response = HttpResponse.text(`${coding} ${run}`, {
        headers: { etag: `"${coding}"`, 'content-encoding': coding, vary: 'accept-encoding' },
      })
      response.isCurrent = () => true
      return response
    })
    for (const coding of ['br', 'gzip', 'br', 'gzip'])
      await site.ask({ headers: { 'accept-encoding': coding } })
    expect(site.runs).toBe(2)
  })

  test('takes all variants of the old version with it when it is out of date', async () => {
    const sources = [{ isCurrent: true }]
    const site = await cached(request => {
      const source = sources.at(-1)!
      const response = HttpResponse.bytes(Buffer.alloc(10_000), {
        headers: { 'content-encoding': request.headers.get('accept-encoding')!, vary: 'accept-encoding' },
      })
      response.isCurrent = () => source.isCurrent
      return response
    })
    for (const coding of ['br', 'gzip', 'zstd']) await site.ask({ headers: { 'accept-encoding': coding } })
    expect(site.service.stats.bytes).toBeGreaterThan(30_000)
    sources[0]!.isCurrent = false
    sources.push({ isCurrent: true })
    await site.ask({ headers: { 'accept-encoding': 'br' } })
    expect(site.service.stats.bytes).toBeLessThan(20_000)
  })

  test('is not kept longer because of a time that it also names', async () => {
    let isCurrent = true
    const site = await cached((_request, run) => {
      const response = HttpResponse.text(`run ${run}`, { headers: { 'cache-control': 'max-age=3600' } })
      response.isCurrent = () => isCurrent
      return response
    })
    await site.ask()
    isCurrent = false
    expect((await site.ask()).text()).toBe('run 2')
  })

  test.each(['no-store', 'private'])('is not kept when it says %s', async directive => {
    const site = await cached((_request, run) => {
      const response = HttpResponse.text(`run ${run}`, { headers: { 'cache-control': directive } })
      response.isCurrent = () => true
      return response
    })
    await site.ask()
    expect((await site.ask()).text()).toBe('run 2')
  })

  test('is dropped when its source answers with what may not be stored', async () => {
    let isCurrent = true
    const site = await cached((_request, run) => {
      if (run > 1) return HttpResponse.text('gone', 404)
      const response = HttpResponse.text(`run ${run}`)
      response.isCurrent = () => isCurrent
      return response
    })
    await site.ask()
    expect(site.service.stats.entries).toBe(1)
    isCurrent = false
    await site.ask()
    expect(site.service.stats.entries).toBe(0)
  })
})

test('the slot says what the cache did, for the log', async () => {
  const { done, ask, clock } = await files('text')
  await ask('/a.txt')
  await ask('/a.txt')
  clock.move(1_000)
  await ask('/a.txt')
  await ask({ url: '/a.txt', method: 'POST' })
  expect(done.map(({ request }) => request.get(Slots.cacheStatus))).toEqual([
    'miss',
    'hit',
    'revalidated',
    'bypass',
  ])
})
