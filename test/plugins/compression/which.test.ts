import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { page, read, serving, text } from './answers.ts'

const of = (type: string, body: string | Uint8Array = text) =>
  new HttpResponse(200, body, { 'content-type': type })

/** What becomes of an answer for a client that takes gzip, for one that takes nothing, and for one that must have it. */
async function fate(answer: () => HttpResponse, options = {}) {
  const ask = await serving(answer, options)
  const [gzip, plain, forced] = await Promise.all([
    ask({ 'accept-encoding': 'gzip' }),
    ask(),
    ask({ 'accept-encoding': 'gzip, identity;q=0' }),
  ])
  expect(gzip.headers.get('vary'), 'Vary is the same for all').toBe(plain.headers.get('vary'))
  const coding = gzip.headers.get('content-encoding')
  return { coding, vary: plain.headers.get('vary'), status: gzip.status, forced, gzip, plain }
}

describe('media types', () => {
  const compressed = [
    'text/html; charset=utf-8',
    'TEXT/HTML',
    'text/event-stream',
    'application/json',
    'application/problem+json',
    'application/x-ndjson',
    'application/jsonl',
    'application/yaml',
    'application/wasm',
    'image/svg+xml',
    'image/bmp',
    'font/ttf',
    'application/vnd.apple.mpegurl',
  ]
  const leftAlone = [
    'image/png',
    'font/woff2',
    'video/mp4',
    'application/zip',
    'application/octet-stream',
    'Application/Octet-Stream ; a=b',
    'application/grpc',
    'application/grpc+json',
    'application/x-nobody-knows',
    'constructor',
    '',
  ]
  test.each(compressed)('%s is compressed', async type => {
    expect(await fate(() => of(type))).toMatchObject({ coding: 'gzip', vary: 'Accept-Encoding' })
  })
  test.each(leftAlone)('%j is left alone', async type => {
    expect(await fate(() => of(type))).toMatchObject({ coding: undefined, vary: 'Accept-Encoding' })
  })

  test('an answer without a media type is left alone', async () => {
    expect(await fate(() => new HttpResponse(200, text))).toMatchObject({
      coding: undefined,
      vary: 'Accept-Encoding',
    })
  })

  test('types of the config come before the default, the narrowest first', async () => {
    const types = {
      '*/*': false,
      'Application/*': true,
      'application/json': false,
      'text/html': true,
    } as const
    const coding = async (type: string) => (await fate(() => of(type), { types })).coding
    expect(await coding('text/html')).toBe('gzip')
    expect(await coding('text/plain')).toBeUndefined()
    expect(await coding('application/x-log')).toBe('gzip')
    expect(await coding('application/json')).toBeUndefined()
  })
})

describe('size', () => {
  test('bytes are counted, and the limit itself is large enough', async () => {
    const sized = async (body: string | Uint8Array, options = {}) =>
      (await fate(() => of('text/plain', body), options)).coding
    expect(await sized('a'.repeat(1_023))).toBeUndefined()
    expect(await sized('a'.repeat(1_024))).toBe('gzip')
    expect(await sized('ä'.repeat(512))).toBe('gzip')
    expect(await sized(Buffer.alloc(1_023))).toBeUndefined()
    expect(await sized('aa', { minSize: 2 })).toBe('gzip')
    expect(await sized('a'.repeat(2_047), { minSize: '2kb' })).toBeUndefined()
  })

  test('a small answer has Vary too: a client that takes nothing else gets it with a coding', async () => {
    const { coding, vary } = await fate(() => of('text/plain', 'small'))
    expect([coding, vary]).toEqual([undefined, 'Accept-Encoding'])
  })

  test('a stream that declares a small length is small', async () => {
    const stream = () =>
      HttpResponse.stream(pieces('small'), { length: 5, headers: { 'content-type': 'text/plain' } })
    expect(await fate(stream)).toMatchObject({ coding: undefined, vary: 'Accept-Encoding' })
  })

  test('a stream that does not say how long it is counts as large', async () => {
    const stream = () => HttpResponse.stream(pieces('small'), { headers: { 'content-type': 'text/plain' } })
    const { coding, vary, gzip } = await fate(stream)
    expect({ coding, vary }).toEqual({ coding: 'gzip', vary: 'Accept-Encoding' })
    expect(read(gzip)).toBe('small')
  })
})

async function* pieces(...all: string[]) {
  yield* all
}

describe('what the answer says', () => {
  const untouched: readonly (readonly [string, () => HttpResponse])[] = [
    ['a coding', () => page().set('content-encoding', 'br')],
    ['a range', () => page().set('content-range', 'bytes 0-1/5')],
    ['no-transform', () => page().set('cache-control', 'no-transform')],
    ['no-transform among others', () => page().set('cache-control', 'public, No-Transform ,max-age=1')],
    ['status 204', () => new HttpResponse(204, null, { 'content-type': 'text/plain' })],
    ['status 205', () => of('text/plain')],
    ['status 206', () => of('text/plain')],
    ['status 226', () => of('text/plain')],
    ['status 404', () => of('text/plain')],
    ['status 500', () => of('text/plain')],
    ['an empty body', () => of('text/plain', '')],
    ['no body', () => new HttpResponse(200, null, { 'content-type': 'text/plain' })],
  ]
  test.each(untouched)('%s: left alone, without Vary', async (what, make) => {
    const status = Number(/status (\d+)/.exec(what)?.[1] ?? 200)
    const before = make().headers.get('content-encoding')
    const { coding, vary } = await fate(() => {
      const answer = make()
      answer.status = status
      return answer
    })
    expect({ coding, vary }).toEqual({ coding: before, vary: undefined })
  })

  test.each([200, 201, 203, 300, 302, 399])('status %i is compressed', async status => {
    expect(await fate(() => HttpResponse.text(text, status))).toMatchObject({
      coding: 'gzip',
      vary: 'Accept-Encoding',
      status,
    })
  })

  test.each([
    ['a name that only resembles no-transform', 'no-transformers'],
    ['other directives', 'public, max-age=60'],
  ])('%s changes nothing', async (_what, control) => {
    expect(await fate(() => page().set('cache-control', control))).toMatchObject({ coding: 'gzip' })
  })

  test('Vary keeps what was in it', async () => {
    expect((await fate(() => page().vary('Origin'))).vary).toBe('Origin, Accept-Encoding')
    expect((await fate(() => page().set('vary', '*'))).vary).toBe('*')
  })

  test('digests of the bytes go with the bytes', async () => {
    const { gzip, plain } = await fate(() => page().set('repr-digest', 'sha-256=:AA==:'))
    expect(gzip.headers.has('repr-digest')).toBe(false)
    expect(plain.headers.has('repr-digest')).toBe(true)
  })
})

describe('what the request says', () => {
  test('a range is taken of the body as it is, and Vary says that there are other forms', async () => {
    const ask = await serving(page)
    const answer = await ask({ 'accept-encoding': 'gzip', range: 'bytes=0-9' })
    expect(answer.headers.get('content-encoding')).toBeUndefined()
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
  })

  test('only GET has ranges', async () => {
    const ask = await serving(page)
    for (const method of ['HEAD', 'POST']) {
      const answer = await ask({ 'accept-encoding': 'gzip', range: 'bytes=0-9' }, { method })
      expect(answer.headers.get('content-encoding'), method).toBe('gzip')
    }
  })

  test('no-transform is for caches on the way: a server chooses its own form', async () => {
    const ask = await serving(page)
    const answer = await ask({ 'accept-encoding': 'gzip', 'cache-control': 'no-transform' })
    expect(answer.headers.get('content-encoding')).toBe('gzip')
  })
})

describe('a client that takes no body as it is', () => {
  const forced = 'gzip, identity;q=0'

  test.each([
    ['a small one', () => of('text/plain', 'small')],
    ['one of a type that is not worth while', () => of('image/png')],
    ['one without a type', () => new HttpResponse(200, text)],
  ])('gets a coding for %s, with Vary', async (_what, make) => {
    const ask = await serving(make)
    const answer = await ask({ 'accept-encoding': forced })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
    expect(read(answer)).toBe(make().body)
  })

  test.each([
    ['range', 'bytes=0-9'],
    ['cache-control', 'no-transform'],
  ])('gets one with %s: %s too', async (name, value) => {
    const ask = await serving(page)
    const answer = await ask({ 'accept-encoding': forced, [name]: value })
    expect(answer.status).toBe(200)
    expect(read(answer)).toBe(text)
    expect(answer.headers.get('content-encoding')).toBe('gzip')
  })

  test('gets 406 for what nobody may change, and the body is not left open', async () => {
    let isEnded = false
    const ask = await serving(() => {
      const body = {
        [Symbol.asyncIterator]: () => pieces(text),
        return: () => {
          isEnded = true
        },
      }
      return new HttpResponse(200, body, { 'content-type': 'text/plain', 'cache-control': 'no-transform' })
    })
    const answer = await ask({ 'accept-encoding': forced })
    expect(answer.status).toBe(406)
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
    expect(answer.headers.get('cache-control')).toBeUndefined()
    expect(answer.text()).toContain('known are zstd, br, gzip')
    expect(isEnded).toBe(true)
  })

  test.each([
    ['an error', () => HttpResponse.text(text, 500), 500],
    ['no content', () => new HttpResponse(204), 204],
    ['an empty body', () => of('text/plain', ''), 200],
    ['what has a coding', () => page().set('content-encoding', 'br'), 200],
  ])('gets %s as it is', async (_what, make, status) => {
    const ask = await serving(make)
    const answer = await ask({ 'accept-encoding': '*;q=0' })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('vary')).toBeUndefined()
  })

  test('gets the 406 itself as it is, and an error page too', async () => {
    const ask = await serving(page)
    const answer = await ask({ 'accept-encoding': 'identity;q=0' })
    expect(answer.status).toBe(406)
    expect(answer.headers.get('content-encoding')).toBeUndefined()
  })
})
