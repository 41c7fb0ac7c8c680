import { utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { staticFiles } from 'rawhttp/plugins/static'
import { describe, expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { tempFile } from '../../support/temp-file.ts'
import { statusOf, stoppedClock } from './origin.ts'

const LONG_AGO = new Date(Date.UTC(2025, 0, 1))

async function site() {
  const path = await tempFile('a.js', 'const text = 1\n'.repeat(3_500))
  await utimes(path, LONG_AGO, LONG_AGO)
  const clock = stoppedClock()
  const { ask } = await serve([compression(), cache(), staticFiles({ root: dirname(path) })])
  const get = async (accepted: string, more = {}) => {
    const answer = await ask({ url: '/a.js', headers: { 'accept-encoding': accepted, ...more } })
    return { coding: answer.headers.get('content-encoding'), status: statusOf(answer), answer }
  }
  return { clock, get }
}

describe('a file behind compression', () => {
  test('is compressed once for each coding, and stays what it is for conditions and parts', async () => {
    const { clock, get } = await site()
    const first: string[] = []
    for (const coding of ['zstd', 'br', 'gzip']) first.push((await get(coding)).status)
    expect(first).toEqual(['fwd=uri-miss; stored', 'fwd=vary-miss; stored', 'fwd=vary-miss; stored'])
    clock.move(1_000)
    const { answer, status } = await get('gzip, deflate, br;q=0.1')
    expect([answer.headers.get('content-encoding'), status]).toEqual(['gzip', 'fwd=vary-miss; stored'])
    const etag = answer.headers.get('etag')!
    for (const coding of ['zstd', 'br', 'gzip']) expect((await get(coding)).status).toBe('hit')
    const same = await get('gzip', { 'if-none-match': etag })
    expect([same.answer.status, same.status]).toEqual([304, 'hit'])
    const part = await get('gzip', { range: 'bytes=0-9', 'if-range': etag })
    expect([part.answer.status, part.answer.body.equals(answer.body.subarray(0, 10))]).toEqual([206, true])
  })

  test('gets each client what it would get without a cache, for any spelling', async () => {
    const { get } = await site()
    const path = await tempFile('a.js', 'const text = 1\n'.repeat(3_500))
    const bare = await serve([compression(), staticFiles({ root: dirname(path) })])
    const codings = ['gzip', 'br', 'zstd', 'identity', '*', 'other']
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let i = 0; i < 300; i++) {
      const members = Array.from(
        { length: random(5) },
        () => `${codings[random(6)]}${['', ';q=0', ';q=0.5', ';q=1', '; q=0.2', ';q=x'][random(6)]}`,
      )
      const wish = members.join(', ')
      const plain = await bare.ask({ url: '/a.js', headers: { 'accept-encoding': wish } })
      const { answer, coding } = await get(wish)
      expect([wish, answer.status, coding]).toEqual([
        wish,
        plain.status,
        plain.headers.get('content-encoding'),
      ])
    }
  })
})
