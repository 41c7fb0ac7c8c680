import { stat, utimes } from 'node:fs/promises'
import {
  Deliver,
  FileSlice,
  Handle,
  HttpError,
  HttpResponse,
  type InjectedResponse,
  type InjectOptions,
  Transform,
} from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../support/in-memory.ts'
import { readParts } from '../support/multipart.ts'
import { answering } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

const ETAG = '"v1"'
const MODIFIED = 'Tue, 01 Jul 2025 10:00:00 GMT'
const EARLIER = 'Mon, 30 Jun 2025 10:00:00 GMT'
const validators = { etag: ETAG, 'last-modified': MODIFIED }
const digits = () => HttpResponse.text('0123456789', { headers: validators })

/** What a server answers with one answer for all, and more plugins behind it. */
async function answer(
  response: HttpResponse,
  headers: Record<string, string>,
  rest: InjectOptions = {},
): Promise<InjectedResponse> {
  const { ask } = await serve([answering(() => response)])
  return ask({ headers, ...rest })
}

const seen = ({ status, headers, text }: InjectedResponse) => ({
  status,
  range: headers.get('content-range'),
  length: headers.get('content-length'),
  text: text(),
})

describe('a range', () => {
  test('of one part is a 206 with just that part', async () => {
    const got = await answer(digits(), { range: 'bytes=2-4' })
    expect(seen(got)).toEqual({ status: 206, range: 'bytes 2-4/10', length: '3', text: '234' })
    expect(got.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect([got.headers.get('etag'), got.headers.get('last-modified')]).toEqual([ETAG, MODIFIED])
    expect(got.headers.get('accept-ranges')).toBe('bytes')
  })

  test('of several parts is a 206 whose parts tell their place and type', async () => {
    const got = await answer(digits(), { range: 'bytes=5-9,0-1' })
    expect([got.status, got.headers.get('content-range')]).toEqual([206, undefined])
    expect(got.headers.get('content-length')).toBe(String(got.body.length))
    const type = 'text/plain; charset=utf-8'
    expect(readParts(got.headers.get('content-type'), got.body)).toEqual([
      { type, start: 5, end: 9, size: 10, bytes: Buffer.from('56789') },
      { type, start: 0, end: 1, size: 10, bytes: Buffer.from('01') },
    ])
  })

  test('of several parts that touch has no need of parts', async () => {
    const got = await answer(digits(), { range: 'bytes=0-1,2-4,3-5' })
    expect(seen(got)).toEqual({ status: 206, range: 'bytes 0-5/10', length: '6', text: '012345' })
  })

  test('of the whole is a 206 all the same', async () => {
    const got = await answer(digits(), { range: 'bytes=-500' })
    expect(seen(got)).toEqual({ status: 206, range: 'bytes 0-9/10', length: '10', text: '0123456789' })
  })

  test('outside is a 416 with the length, and none of the validators', async () => {
    const got = await answer(digits(), { range: 'bytes=10-' })
    expect(seen(got)).toMatchObject({ status: 416, range: 'bytes */10', text: '416 Range Not Satisfiable\n' })
    expect(got.headers.has('etag')).toBe(false)
  })

  test.each(['bytes=5-2', 'bytes=x', 'items=0-1', `bytes=${'0-0,'.repeat(200)}0-0`])(
    '%.20s that says nothing to us is the whole',
    async range => {
      expect(seen(await answer(digits(), { range }))).toMatchObject({ status: 200, text: '0123456789' })
    },
  )

  test('in two fields is none', async () => {
    const { ask } = await serve([answering(digits)])
    const headers = [['range', 'bytes=0-1'] as const, ['range', 'bytes=2-3'] as const]
    expect((await ask({ headers })).status).toBe(200)
  })

  test.each(['HEAD', 'POST', 'PUT', 'QUERY'])('of %s is the whole', async method => {
    const got = await answer(digits(), { range: 'bytes=2-4' }, { method })
    expect([got.status, got.headers.get('content-range')]).toEqual([200, undefined])
    expect(got.headers.get('content-length')).toBe('10')
  })

  test('of what is empty is the whole: no Content-Range could name a part of it', async () => {
    for (const empty of [HttpResponse.text(''), HttpResponse.empty(200), HttpResponse.bytes(Buffer.alloc(0))])
      for (const range of ['bytes=0-', 'bytes=-5', 'bytes=5-']) {
        const got = await answer(empty, { range })
        expect(seen(got)).toEqual({ status: 200, range: undefined, length: '0', text: '' })
        expect(got.headers.has('accept-ranges')).toBe(false)
      }
  })

  test.each([201, 203, 204, 206, 301, 404, 500])(
    'of an answer with status %i is that answer',
    async status => {
      const got = await answer(HttpResponse.text('0123456789', status), { range: 'bytes=2-4' })
      expect([got.status, got.headers.has('content-range')]).toEqual([status, false])
      expect(got.headers.has('accept-ranges')).toBe(false)
    },
  )

  test('of a stream is the stream', async () => {
    async function* pieces() {
      yield '0123456789'
    }
    const { ask } = await serve([answering(() => HttpResponse.stream(pieces(), { length: 10 }))])
    const got = await ask({ headers: { range: 'bytes=2-4' } })
    expect(seen(got)).toMatchObject({ status: 200, text: '0123456789' })
    expect(got.headers.has('accept-ranges')).toBe(false)
  })

  test('of what was encoded before is taken of the encoded bytes', async () => {
    const coded = HttpResponse.bytes(Buffer.from([1, 2, 3, 4]), { headers: { 'content-encoding': 'x-sum' } })
    const got = await answer(coded, { range: 'bytes=1-2' })
    expect([got.status, [...got.body], got.headers.get('content-encoding')]).toEqual([206, [2, 3], 'x-sum'])
  })

  test('of what would be encoded on the fly is the whole', async () => {
    const encodes = onSite('encodes', ({ hooks }) =>
      hooks.transform.tap({ name: 'e', stage: Transform.Encode }, response => {
        response.encode('x-same', () => Buffer.from('0123456789'))
      }),
    )
    const { ask } = await serve([encodes, answering(digits)])
    const got = await ask({ headers: { range: 'bytes=2-4' } })
    expect(seen(got)).toMatchObject({ status: 200, text: '0123456789' })
    expect(got.headers.has('accept-ranges')).toBe(false)
  })

  test('is taken of what transform has made', async () => {
    const shouts = onSite('shouts', ({ hooks }) =>
      hooks.transform.tapPromise({ name: 's', stage: Transform.Shape }, async response => {
        response.replace((await response.text()).replaceAll('3', 'three'))
      }),
    )
    const { ask } = await serve([shouts, answering(digits)])
    expect(seen(await ask({ headers: { range: 'bytes=2-8' } }))).toMatchObject({
      range: 'bytes 2-8/14',
      text: '2three4',
    })
  })

  test('is taken of an answer that is kept for many, which stays whole', async () => {
    const kept = digits().transformed()
    const { ask } = await serve([answering(() => kept)])
    const ranges = ['bytes=0-0', 'bytes=1-2,4-5', 'bytes=-1', 'bytes=99-']
    const answers = await Promise.all(ranges.map(range => ask({ headers: { range } })))
    expect(answers.map(({ status }) => status)).toEqual([206, 206, 206, 416])
    const whole = await ask()
    expect(seen(whole)).toEqual({ status: 200, range: undefined, length: '10', text: '0123456789' })
    expect(whole.headers.getAll('accept-ranges')).toEqual(['bytes'])
  })

  test('of an API answer is a part of its JSON', async () => {
    const got = await answer(HttpResponse.json({ name: 'Müller' }), { range: 'bytes=9-15' })
    expect(seen(got)).toMatchObject({ status: 206, range: 'bytes 9-15/18', text: 'Müller' })
  })

  test('replaces a Content-Range that a handler has set, and leaves a digest of the content away', async () => {
    const fields = { 'content-range': 'bytes 0-1/2', 'content-digest': 'a=:b:', 'repr-digest': 'a=:c:' }
    const own = HttpResponse.text('0123456789', { headers: fields })
    for (const [range, expected] of [
      ['bytes=2-4', ['bytes 2-4/10']],
      ['bytes=2-4,6-7', []],
    ] as const) {
      const { headers } = await answer(own, { range })
      expect(headers.getAll('content-range')).toEqual(expected)
      expect([headers.has('content-digest'), headers.get('repr-digest')]).toEqual([false, 'a=:c:'])
    }
  })

  test('has a boundary that is new each time', async () => {
    const { ask } = await serve([answering(digits)])
    const type = async () => (await ask({ headers: { range: 'bytes=0-0,2-2' } })).headers.get('content-type')
    expect(await type()).not.toBe(await type())
  })

  test('of a type that is not known has parts without one', async () => {
    const bare = new HttpResponse(200, '0123456789')
    const got = await answer(bare, { range: 'bytes=0-0,2-2' })
    expect(readParts(got.headers.get('content-type'), got.body).map(({ type }) => type)).toEqual([
      undefined,
      undefined,
    ])
  })
})

describe('If-Range', () => {
  test.each([
    [ETAG, 206],
    [MODIFIED, 206],
    ['"v2"', 200],
    [`W/${ETAG}`, 200],
    [EARLIER, 200],
    ['v1', 200],
  ])('%s makes it %i', async (condition, status) => {
    const got = await answer(digits(), { range: 'bytes=2-4', 'if-range': condition })
    expect(got.status).toBe(status)
  })

  test('that is false leaves even a range that is not there alone', async () => {
    const fields = { range: 'bytes=99-', 'if-range': '"v2"' }
    expect((await answer(digits(), fields)).status).toBe(200)
    expect((await answer(digits(), { ...fields, 'if-range': ETAG })).status).toBe(416)
  })

  test('without a range says nothing', async () => {
    expect((await answer(digits(), { 'if-range': '"v2"' })).status).toBe(200)
  })

  test('of a date is false for an answer that was made in that second', async () => {
    const made = HttpResponse.text('0123456789', { headers: { 'last-modified': MODIFIED, date: MODIFIED } })
    expect((await answer(made, { range: 'bytes=2-4', 'if-range': MODIFIED })).status).toBe(200)
  })
})

describe('preconditions come before the range', () => {
  test.each([
    [{ 'if-none-match': ETAG }, 304],
    [{ 'if-none-match': '"v2"' }, 206],
    [{ 'if-modified-since': MODIFIED }, 304],
    [{ 'if-match': '"v2"' }, 412],
    [{ 'if-match': ETAG }, 206],
    [{ 'if-unmodified-since': EARLIER }, 412],
    [{ 'if-match': ETAG, 'if-none-match': '"v2"', 'if-range': ETAG }, 206],
    [{ 'if-match': ETAG, 'if-none-match': '"v2"', 'if-range': '"v2"' }, 200],
  ])('%j: %i', async (fields, status) => {
    expect((await answer(digits(), { range: 'bytes=2-4', ...fields })).status).toBe(status)
    // A range that is not there is looked at last, too.
    if (status !== 206)
      expect((await answer(digits(), { range: 'bytes=99-', ...fields })).status).toBe(status)
  })
})

describe('Accept-Ranges', () => {
  test('is on what GET and HEAD can have in parts, once', async () => {
    const kept = digits()
    const { ask } = await serve([answering(() => kept)])
    for (const method of ['GET', 'HEAD', 'GET'])
      expect((await ask({ method })).headers.getAll('accept-ranges')).toEqual(['bytes'])
    expect((await ask({ method: 'POST' })).headers.has('accept-ranges')).toBe(false)
  })

  test('is not on a 304', async () => {
    const got = await answer(digits(), { 'if-none-match': ETAG })
    expect([got.status, got.headers.has('accept-ranges')]).toEqual([304, false])
  })

  test('that a handler has set to none switches ranges off', async () => {
    const own = digits().set('accept-ranges', 'none')
    const got = await answer(own, { range: 'bytes=2-4' })
    expect(seen(got)).toMatchObject({ status: 200, text: '0123456789' })
    expect(got.headers.getAll('accept-ranges')).toEqual(['none'])
  })

  test('that a handler has set to bytes stays as it is', async () => {
    const own = digits().set('accept-ranges', 'Bytes')
    expect((await answer(own, {})).headers.getAll('accept-ranges')).toEqual(['Bytes'])
    expect((await answer(own, { range: 'bytes=0-1' })).status).toBe(206)
  })
})

describe('deliver', () => {
  test('sees the part, may add to it, and cannot change what it is', async () => {
    const statuses: unknown[] = []
    const attempts = [
      (response: HttpResponse) => response.set('content-range', 'bytes 0-9/10'),
      (response: HttpResponse) => response.set('content-type', 'x/y'),
      (response: HttpResponse) => Object.assign(response, { status: 200 }),
      (response: HttpResponse) => Object.assign(response, { body: 'all' }),
    ]
    const delivers = onSite('delivers', ({ hooks }) =>
      hooks.deliver.tap({ name: 'd', stage: Deliver.Headers }, response => {
        statuses.push(response.status, response.headers.get('content-range'))
        for (const attempt of attempts)
          expect(() => attempt(response)).toThrow('the representation is finished')
        response.set('x-seen', 'yes')
      }),
    )
    const { ask } = await serve([delivers, answering(digits)])
    const got = await ask({ headers: { range: 'bytes=2-4' } })
    expect(statuses).toEqual([206, 'bytes 2-4/10'])
    expect([got.text(), got.headers.get('x-seen')]).toEqual(['234', 'yes'])
  })
})

describe('a 416', () => {
  test('takes the line of errors, and keeps Content-Range whatever its shape', async () => {
    const codes: string[] = []
    const shape = onSite('shape', ({ hooks }) =>
      hooks.error.tap('s', error => {
        codes.push(error.code)
        return HttpResponse.json({ code: error.code }, error.status)
      }),
    )
    const { ask, reports } = await serve([shape, answering(digits)])
    const got = await ask({ headers: { range: 'bytes=99-' } })
    expect(seen(got)).toMatchObject({ status: 416, range: 'bytes */10', text: '{"code":"HTTP_416"}' })
    expect([codes, reports]).toEqual([['HTTP_416'], []])
  })

  test('is not ranged itself, nor is what an error is answered with', async () => {
    const shape = onSite('shape', ({ hooks }) =>
      hooks.error.tap('s', () => HttpResponse.text('all is well', { headers: { etag: ETAG } })),
    )
    const fails = onSite('fails', ({ hooks }) =>
      hooks.handle.tap({ name: 'f', stage: Handle.Route }, () => {
        throw new HttpError(500)
      }),
    )
    const { ask } = await serve([shape, fails])
    const got = await ask({ headers: { range: 'bytes=2-4', 'if-match': '"x"' } })
    expect(seen(got)).toMatchObject({ status: 200, text: 'all is well' })
  })
})

describe('a range of a file', () => {
  const file = async () => {
    const path = await tempFile('a.bin', '0123456789')
    return { path, slice: new FileSlice(path, await stat(path)) }
  }

  test('reads that part alone', async () => {
    const { path } = await file()
    const { ask } = await serve([answering(() => HttpResponse.file(path))])
    expect(seen(await ask({ headers: { range: 'bytes=-3' } }))).toEqual({
      status: 206,
      range: 'bytes 7-9/10',
      length: '3',
      text: '789',
    })
  })

  test('is counted within the part that the answer is', async () => {
    const { slice } = await file()
    const { ask } = await serve([answering(() => new HttpResponse(200, slice.slice(2, 8)))])
    expect(seen(await ask({ headers: { range: 'bytes=1-2' } }))).toMatchObject({
      range: 'bytes 1-2/6',
      text: '34',
    })
    const got = await ask({ headers: { range: 'bytes=0-1,4-99' } })
    const parts = readParts(got.headers.get('content-type'), got.body)
    expect(parts.map(({ bytes }) => bytes.toString())).toEqual(['23', '67'])
  })

  test.each(['bytes=0-1', 'bytes=0-1,4-5'])(
    '%s that has changed since is a 500, not other bytes',
    async range => {
      const { path, slice } = await file()
      await utimes(path, new Date(1_000), new Date(1_000))
      const { ask, reports } = await serve([answering(() => new HttpResponse(200, slice))])
      const got = await ask({ headers: { range } })
      expect([got.status, got.headers.has('content-range')]).toEqual([500, false])
      expect(reports[0]?.message).toContain('changed while it was being served')
    },
  )
})
