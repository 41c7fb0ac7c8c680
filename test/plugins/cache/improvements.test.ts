import { gunzipSync, gzipSync } from 'node:zlib'
import { HttpResponse, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { turns } from '../../support/turns.ts'
import { cached, stoppedClock } from './origin.ts'

const text = Array.from({ length: 2_000 }, (_, i) => `line ${i * 7_919}`).join('\n')

/** A page in gzip: quickly for a client, better for the store, as soon as the gate lets it. */
async function pages(tag = '"v1"') {
  const clock = stoppedClock()
  const made: string[] = []
  const gate = Promise.withResolvers<void>()
  const encoder = onSite('encoder', site =>
    site.hooks.transform.tap({ name: 'encoder', stage: Transform.Encode }, (response, request) => {
      if (request.headers.get('accept-encoding') !== 'gzip') return
      response.encode('gzip', async purpose => {
        made.push(purpose)
        if (purpose === 'keep') await gate.promise
        return gzipSync(text, { level: purpose === 'keep' ? 9 : 1 })
      })
    }),
  )
  const headers = { etag: tag, 'cache-control': 'max-age=60' }
  const site = await cached(() => HttpResponse.text(text, { headers }), {}, [encoder])
  const get = (url = '/', more = {}) => site.ask({ url, headers: { 'accept-encoding': 'gzip', ...more } })
  return { ...site, get, made, gate, clock }
}

describe('what is encoded for the store', () => {
  test('is made for the client that waits, and made better afterwards', async () => {
    const { get, made, gate } = await pages()
    const first = await get()
    expect(made).toEqual(['send', 'keep'])
    const second = await get()
    expect(second.body).toEqual(first.body)
    gate.resolve()
    await turns(20)
    const third = await get()
    expect(third.body.length).toBeLessThan(first.body.length)
    expect(gunzipSync(third.body).toString()).toBe(text)
    expect(made).toEqual(['send', 'keep'])
  })

  test('has a weak tag when it has other bytes: known to who has the first, but no part fits to them', async () => {
    const { get, gate } = await pages()
    const before = (await get()).headers.get('etag')
    gate.resolve()
    await turns(20)
    const after = (await get()).headers.get('etag')
    expect([before, after]).toEqual(['"v1-gzip"', 'W/"v1-gzip"'])
    expect((await get('/', { 'if-none-match': String(before) })).status).toBe(304)
    for (const tag of [before, after])
      expect((await get('/', { range: 'bytes=100-', 'if-range': String(tag) })).status).toBe(200)
  })

  test('keeps that tag when it is found unchanged', async () => {
    const { get, gate, clock } = await pages()
    await get()
    gate.resolve()
    await turns(20)
    const better = (await get()).body
    clock.move(61_000)
    for (let i = 0; i < 2; i++) {
      const answer = await get()
      expect([answer.headers.get('etag'), answer.body]).toEqual(['W/"v1-gzip"', better])
    }
  })

  test('is not made better for a URL with a query, of which anybody can make up any number', async () => {
    const { get, made } = await pages()
    await get('/?1')
    expect(made).toEqual(['send'])
  })

  test('stays as it is when too many others wait', async () => {
    const { get, made, gate } = await pages()
    for (let i = 0; i < 20; i++) await get(`/${i}`)
    gate.resolve()
    await turns(50)
    expect(made.filter(each => each === 'keep')).toHaveLength(9)
  })

  test('is not made better when it was purged meanwhile', async () => {
    const { get, made, gate, service } = await pages()
    await get('/a')
    await get('/b')
    service.purge('/b')
    gate.resolve()
    await turns(20)
    expect(made).toEqual(['send', 'keep', 'send'])
  })
})
