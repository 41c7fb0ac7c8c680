import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RequestBody } from '../../core/body.ts'
import type { FormLimits } from '../../core/forms.ts'
import { defaultExchangeLimits } from '../../core/limits.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

const urlencoded = 'application/x-www-form-urlencoded'
const boundary = 'b0undary'
const multipart = `multipart/form-data; boundary=${boundary}`

/** A body whose pieces come when somebody waits for them. */
function bodyOf(pieces: readonly Uint8Array[], contentType: string | undefined) {
  const rest = [...pieces]
  let wanted = 0
  const limits = { ...defaultExchangeLimits }
  const body = new RequestBody(() => ({ limits, contentType, contentLength: null }), {
    want() {
      wanted++
      const piece = rest.shift()
      queueMicrotask(() => (piece === undefined ? body.end() : body.push(piece)))
    },
  })
  return { body, limits, wanted: () => wanted }
}

const whole = (text: string | Uint8Array, type?: string) => bodyOf([Buffer.from(text)], type).body

interface Written {
  readonly name: string
  readonly value: string | Uint8Array
  readonly filename?: string
  readonly type?: string
}

/** A multipart body as a browser writes it. */
function write(parts: readonly Written[]): Buffer {
  const pieces = parts.flatMap(({ name, value, filename, type }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const media = type === undefined ? '' : `Content-Type: ${type}\r\n`
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${media}\r\n`
    return [Buffer.from(head), Buffer.from(value as string), Buffer.from('\r\n')]
  })
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
}

describe('a form in a URL’s notation', () => {
  test('has its fields in order', async () => {
    const form = await whole('a=1&b=x+y&a=%C3%A9', `${urlencoded}; charset=utf-8`).form()
    expect([...form]).toEqual([
      ['a', '1'],
      ['b', 'x y'],
      ['a', 'é'],
    ])
    expect([...(await whole('', urlencoded).form())]).toEqual([])
  })

  test('may have 1,000 fields, and as many as its reader allows', async () => {
    const fields = (count: number) => whole(new Array(count).fill('a').join('&'), urlencoded)
    expect((await fields(1_000).form()).getAll('a')).toHaveLength(1_000)
    await expect(fields(100_000).form()).rejects.toMatchObject({
      status: 413,
      message: 'the form has more than 1000 fields',
    })
    expect((await fields(1_001).form({ fields: 2_000 })).getAll('a')).toHaveLength(1_001)
  })

  test.each(['application/json', 'text/plain', undefined])('is refused as a 415 as %j', async type => {
    await expect(whole('a=1', type).form()).rejects.toMatchObject({ status: 415, code: 'BODY_NOT_FORM' })
  })

  test('is refused as a 415 in another charset', async () => {
    const form = whole('a=1', `${urlencoded}; charset=windows-1252`).form()
    await expect(form).rejects.toMatchObject({ status: 415, code: 'BODY_CHARSET' })
  })

  test('cannot be read in parts', async () => {
    const parts = whole('a=1', urlencoded).parts()
    await expect(parts.next()).rejects.toMatchObject({ status: 415, code: 'BODY_NOT_FORM' })
  })
})

describe('a multipart form', () => {
  const parts: Written[] = [
    { name: 'title', value: 'Grüße' },
    { name: 'photo', value: Buffer.from([0, 255, 13, 10]), filename: 'C:\\me\\a.png', type: 'image/png' },
    { name: 'title', value: '' },
    { name: 'empty', value: '', filename: '', type: 'application/octet-stream' },
  ]

  test('has its fields and files in order, without the folders of their names', async () => {
    const form = await whole(write(parts), multipart).form()
    expect([...form.keys()]).toEqual(['title', 'photo', 'title', 'empty'])
    expect(form.getAll('title')).toEqual(['Grüße', ''])
    const photo = form.get('photo') as File
    expect([photo.name, photo.type, photo.size]).toEqual(['a.png', 'image/png', 4])
    expect(Buffer.from(await photo.arrayBuffer())).toEqual(Buffer.from([0, 255, 13, 10]))
  })

  test('may be read twice, in memory', async () => {
    const body = whole(write(parts), multipart)
    expect([...(await body.form()).keys()]).toEqual([...(await body.form()).keys()])
  })

  test('comes part by part', async () => {
    const seen: unknown[] = []
    for await (const part of whole(write(parts), multipart).parts())
      seen.push([part.name, part.filename, part.type, await part.text()])
    expect(seen).toEqual([
      ['title', null, 'text/plain', 'Grüße'],
      ['photo', 'a.png', 'image/png', '\0\ufffd\r\n'],
      ['title', null, 'text/plain', ''],
      ['empty', '', 'application/octet-stream', ''],
    ])
  })

  test('skips a file that nobody reads', async () => {
    const large = { name: 'large', value: Buffer.alloc(300_000), filename: 'l' }
    const seen: string[] = []
    const pieces = write([large, { name: 'last', value: 'x' }])
    for await (const { name } of bodyOf(
      [pieces.subarray(0, 9_000), pieces.subarray(9_000)],
      multipart,
    ).body.parts())
      seen.push(name)
    expect(seen).toEqual(['large', 'last'])
  })

  test('is read only as fast as its files are', async () => {
    const whole = write([{ name: 'f', value: Buffer.alloc(4_000_000, 'x'), filename: 'f' }])
    const pieces = Array.from({ length: 62 }, (_, i) => whole.subarray(i * 65_536, (i + 1) * 65_536))
    const { body, limits, wanted } = bodyOf(pieces, multipart)
    limits.bodyBytes = 0
    for await (const part of body.parts()) {
      let bytes = 0
      for await (const piece of part.stream()) {
        bytes += piece.length
        expect(wanted() * 65_536 - bytes).toBeLessThan(300_000)
      }
      expect(bytes).toBe(4_000_000)
    }
  })

  test('ends its source when the reader leaves', async () => {
    const { body } = bodyOf([write(parts)], multipart)
    for await (const _ of body.parts()) break
    expect(() => body.stream()).toThrow('already taken by stream()')
  })

  test.each<[string, FormLimits, Written[]]>([
    ['more than 2 fields', { fields: 2 }, [1, 2, 3].map(n => ({ name: `${n}`, value: '' }))],
    ['more than 1 files', { files: 1 }, [1, 2].map(n => ({ name: `${n}`, value: 'x', filename: 'f' }))],
    ['a field of the form is larger than 9 bytes', { fieldBytes: 9 }, [{ name: 'a', value: '0123456789' }]],
    [
      'a file of the form is larger than 9 bytes',
      { fileBytes: 9 },
      [{ name: 'a', value: '0123456789', filename: 'f' }],
    ],
  ])('is refused as a 413 with %s', async (sentence, limits, given) => {
    const refused = { status: 413, message: expect.stringContaining(sentence) }
    await expect(whole(write(given), multipart).form(limits)).rejects.toMatchObject(refused)
    const read = async () => {
      for await (const part of whole(write(given), multipart).parts(limits)) await part.bytes()
    }
    await expect(read()).rejects.toMatchObject(refused)
  })

  test.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['without an end', multipart, write(parts).subarray(0, -10)],
    ['that breaks off in a file', multipart, write(parts).subarray(0, 200)],
    ['with another boundary', 'multipart/form-data; boundary=other', write(parts)],
    ['with nothing in it', multipart, ''],
    [
      'with a part that has no name',
      multipart,
      `--${boundary}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--${boundary}--`,
    ],
  ])('is refused as a 400 %s', async (_, type, text) => {
    await expect(whole(text, type).form()).rejects.toMatchObject({ status: 400, code: 'BODY_INVALID_FORM' })
  })

  test('is refused as a 413 over the limit of the body', async () => {
    const { body, limits } = bodyOf([write(parts)], multipart)
    limits.bodyBytes = 50
    await expect(body.form()).rejects.toMatchObject({ status: 413 })
    const flowing = bodyOf([write(parts)], multipart)
    flowing.limits.bodyBytes = 50
    const all = async () => {
      for await (const _ of readAll(flowing.body));
    }
    await expect(all()).rejects.toMatchObject({ status: 413 })
  })

  test('gives the same parts however the body is cut', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    const part = fc.record({
      name: fc.stringMatching(/^[a-z]{1,8}$/),
      value: fc.oneof(text, fc.uint8Array({ maxLength: 200 })),
    })
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), cuts, async (given, sizes) => {
        const written = given.map(({ name, value }) =>
          typeof value === 'string' ? { name, value } : { name, value, filename: 'f' },
        )
        const body = bodyOf(cut(write(written), sizes), multipart).body
        const seen: unknown[] = []
        for await (const { name, bytes } of readAll(body)) seen.push([name, bytes.toString('hex')])
        expect(seen).toEqual(
          written.map(({ name, value }) => [name, Buffer.from(value as string).toString('hex')]),
        )
      }),
      { numRuns: 200 },
    )
  })

  test('of any bytes is parts or an HttpError, and never ends the process', async () => {
    const noise = fc.array(
      fc.constantFrom(
        `--${boundary}`,
        '--',
        '\r\n',
        '\r\n\r\n',
        'Content-Disposition: form-data; name="a"',
        '; filename="b"',
        'x',
        '\0',
      ),
      { maxLength: 25 },
    )
    await fc.assert(
      fc.asyncProperty(noise, fc.integer({ min: 1, max: 40 }), async (pieces, size) => {
        const body = bodyOf(cut(Buffer.from(pieces.join('')), [size]), multipart).body
        try {
          for await (const part of body.parts()) await part.bytes()
        } catch (error) {
          expect(error).toMatchObject({ status: 400 })
        }
      }),
      { numRuns: 500 },
    )
  })
})

async function* readAll(body: RequestBody) {
  for await (const part of body.parts()) yield { name: part.name, bytes: await part.bytes() }
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

test('a client that leaves in the middle of a file ends the form with an error, and nothing else', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const plugin = answering(async ({ body }) => {
    try {
      for await (const part of body.parts()) await part.bytes()
      resolve('read')
    } catch (error) {
      resolve(error)
    }
    return undefined
  })
  await using served = await startServer({ plugins: [plugin] })
  await using client = await RawClient.connect(served.port)
  const text = write([{ name: 'f', value: 'x'.repeat(5_000), filename: 'f' }])
  client.send(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${multipart}\r\nContent-Length: ${text.length}\r\n\r\n`,
  )
  client.send(text.subarray(0, 3_000).toString('latin1'))
  client.socket.destroy()
  expect(await promise).toBeInstanceOf(Error)
})
