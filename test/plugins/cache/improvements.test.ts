import { gunzipSync, gzipSync } from 'node:zlib'
import { HttpResponse, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { turns } from '../../support/turns.ts'
import { cached } from './origin.ts'

const text = Array.from({ length: 2_000 }, (_, i) => `line ${i * 7_919}`).join('\n')

/** A page in gzip: quickly for a client, better for the store, as soon as the gate lets it. */
async function pages(tag = '"v1"') {
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
  return { ...site, get, made, gate }
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

  test('has another strong tag when it has other bytes, so that no download is put together of both', async () => {
    const { get, gate } = await pages()
    const before = (await get()).headers.get('etag')
    gate.resolve()
    await turns(20)
    const after = (await get()).headers.get('etag')
    expect([before, after]).toEqual(['"v1-gzip"', '"v1-gzip-kept"'])
    const resumed = await get('/', { range: 'bytes=100-', 'if-range': String(before) })
    expect(resumed.status).toBe(200)
    expect((await get('/', { range: 'bytes=100-', 'if-range': String(after) })).status).toBe(206)
  })

  test('keeps a weak tag, which says nothing of the bytes', async () => {
    const { get, gate } = await pages('W/"v1"')
    await get()
    gate.resolve()
    await turns(20)
    expect((await get()).headers.get('etag')).toBe('W/"v1-gzip"')
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
