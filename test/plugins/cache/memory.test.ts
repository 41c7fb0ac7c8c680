import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { cached, numbered } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

describe('the memory of a store', () => {
  test('is never over its bound by more than 10 %, by its own count and by that of Node, for 100,000 keys', async () => {
    const maxSize = 32 * 1_048_576
    const child = join(import.meta.dirname, 'memory-child.ts')
    const args = ['--expose-gc', '--conditions=rawhttp-source', child, '100000', String(maxSize)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
    const { most, took } = JSON.parse(stdout) as { most: number; took: number }
    expect(most).toBeLessThanOrEqual(maxSize)
    expect(most).toBeGreaterThan(maxSize * 0.9)
    expect(took).toBeLessThan(maxSize * 1.1)
  }, 150_000)

  test('is full when it is full: the oldest make room', async () => {
    const site = await cached(() => HttpResponse.bytes(Buffer.alloc(10_000), { headers: FRESH }), {
      maxSize: '64kb',
    })
    for (let i = 0; i < 20; i++) await site.ask(`/${i}`)
    const { bytes, entries, evicted } = site.service.stats
    expect(bytes).toBeLessThanOrEqual(65_536)
    expect(entries + evicted).toBe(20)
    expect(await site.status('/19')).toMatch(/^hit/)
    expect(await site.status('/0')).toMatch(/^fwd/)
  })

  test('counts keys and fields', async () => {
    const site = await cached(numbered({ ...FRESH, 'x-long': 'x'.repeat(4_000) }))
    await site.ask('/a')
    const { bytes } = site.service.stats
    expect(bytes).toBeGreaterThan(8_000)
    await site.ask(`/${'b'.repeat(4_000)}`)
    expect(site.service.stats.bytes - bytes).toBeGreaterThan(12_000)
  })

  test('is that of one URL for a half at most, whatever it varies by', async () => {
    const site = await cached(
      () => HttpResponse.bytes(Buffer.alloc(10_000), { headers: { ...FRESH, vary: 'x-n' } }),
      { maxSize: '128kb' },
    )
    await site.ask('/other')
    for (let n = 0; n < 30; n++) await site.ask({ headers: { 'x-n': String(n) } })
    expect(site.service.stats.bytes).toBeLessThan(90_000)
    expect(await site.status({ headers: { 'x-n': '29' } })).toMatch(/^hit/)
    expect(await site.status('/other')).toMatch(/^hit/)
  })

  test('is counted down as things go', async () => {
    const site = await cached(numbered({ ...FRESH, vary: 'accept-encoding' }))
    for (const coding of ['gzip', 'br', 'gzip, br'])
      await site.ask({ headers: { 'accept-encoding': coding } })
    expect(site.service.stats.bytes).toBeGreaterThan(0)
    site.service.purgeTag('none')
    site.service.purge('/')
    expect(site.service.stats).toMatchObject({ bytes: 0, entries: 0 })
  })

  test('holds no more URLs than it is told', async () => {
    const site = await cached(numbered(FRESH), { maxEntries: 3 })
    for (const url of ['/a', '/b', '/c', '/a', '/d']) await site.ask(url)
    expect(site.service.stats).toMatchObject({ entries: 3, evicted: 1 })
    expect(await site.status('/a')).toMatch(/^hit/)
    expect(await site.status('/b')).toMatch(/^fwd/)
  })

  test('of what nobody should wait for is small, however many keys there are', async () => {
    const site = await cached(numbered({}), { maxSize: '1mb' })
    for (let i = 0; i < 2_000; i++) await site.ask(`/${i}`)
    expect(site.service.stats.bytes).toBeLessThanOrEqual(32_768)
  })
})
