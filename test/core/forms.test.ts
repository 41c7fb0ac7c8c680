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

  test.each<[string, string]>([
    ['whose padding would push its name out of what is read', `X-Pad: ${'p'.repeat(9_000)}\r\n${named}`],
    [
      'with a name that is longer than what is read',
      `${named.slice(0, -2)}${'n'.repeat(9_000)}"; filename="a"`,
    ],
    [
      'with more fields than are read',
      `${Array.from({ length: 32 }, (_, i) => `X-${i}: 1\r\n`).join('')}${named}`,
    ],
  ])('is refused as a 413 for a part %s', async (_, head) => {
    const refused = { status: 413, code: 'BODY_TOO_LARGE' }
    await expect(whole(partOf(head), multipart).form()).rejects.toMatchObject(refused)
    const pieces = cut(Buffer.from(partOf(head)), [1_000])
    await expect(bodyOf(pieces, multipart).body.parts().next()).rejects.toMatchObject(refused)
  })

  test('is refused as soon as a field is too large, not when it has ended', async () => {
    const begun = Buffer.from(`--${boundary}\r\n${named}\r\n\r\n${'x'.repeat(2_000)}`)
    const { body, wanted } = bodyOf([begun, begun, begun], multipart)
    await expect(body.parts({ fieldBytes: 1_000 }).next()).rejects.toMatchObject({ status: 413 })
    expect(wanted()).toBe(1)
  })

  test.each<[string, string]>([
    ['without a Content-Disposition', 'X: 1'],
    ['that is an attachment', 'Content-Disposition: attachment; name="a"'],
    ['that says two names', `${named}; name="b"`],
    ['with two Content-Dispositions', `${named}\r\n${named}`],
    ['behind a line without a colon', `junk\r\n${named}`],
    ['behind a bare line feed', `X: a\nb\r\n${named}`],
    ['with a folded line', `Content-Disposition: form-data;\r\n name="a"`],
    ['with a null character', `${named}; filename="a\0b"`],
    ['with a quote that stays open', 'Content-Disposition: form-data; name="a'],
    ['whose file has its name in filename* alone', `${named}; filename*=UTF-8''a`],
    ['whose header has no end', `${named}\r\n--${boundary}\r\n${named}`],
  ])('is refused as a 400 for a part %s', async (_, head) => {
    const refused = { status: 400, code: 'BODY_INVALID_FORM' }
    await expect(whole(partOf(head), multipart).form()).rejects.toMatchObject(refused)
  })

  test('is refused as a 400 for a header that is not in UTF-8', async () => {
    const latin1 = Buffer.from(partOf('Content-Disposition: form-data; name="gr\xfcn"'), 'latin1')
    await expect(whole(latin1, multipart).form()).rejects.toMatchObject({ code: 'BODY_INVALID_FORM' })
  })

  test('has values in the charset that they name', async () => {
    const valued = (value: string, type: string) =>
      Buffer.from(partOf(`${named}\r\nContent-Type: text/plain; charset=${type}`, value), 'latin1')
    const form = (type: string) => whole(valued('gr\xfcn', type), multipart).form()
    expect((await form('windows-1252')).get('a')).toBe('grün')
    await expect(form('utf-8')).rejects.toMatchObject({ status: 400, code: 'BODY_INVALID_UTF8' })
    await expect(form('made-up')).rejects.toMatchObject({ status: 415 })
  })

  test('may have a part without content, whose empty line belongs to the next boundary', async () => {
    const text = `--${boundary}\r\n${named}\r\n\r\n--${boundary}\r\n${named}\r\n\r\nx\r\n--${boundary}--`
    expect((await whole(text, multipart).form()).getAll('a')).toEqual(['', 'x'])
  })

  test('may have something before its first boundary, behind its last one, and spaces behind each', async () => {
    const text = `hello\r\n--${boundary} \t\r\n${named}\r\n\r\nx\r\n--${boundary}-- \r\nbye`
    expect([...(await whole(text, multipart).form())]).toEqual([['a', 'x']])
  })

  test('may have fields and files of just their limits', async () => {
    const given = ['f', undefined].map(filename => ({
      name: 'a',
      value: '0123456789',
      ...(filename && { filename }),
    }))
    const form = await whole(write(given), multipart).form({
      fieldBytes: 10,
      fileBytes: 10,
      fields: 1,
      files: 1,
    })
    expect(form.getAll('a')).toHaveLength(2)
  })

  test.each([
    ['filename="../../etc/passwd"', 'passwd'],
    ['filename=".."', ''],
    ['filename="a\\\\."', ''],
    ["filename=plain.txt; filename*=UTF-8''other.txt", 'plain.txt'],
  ])('has %s without folders', async (written, filename) => {
    const { value: part } = await whole(partOf(`${named}; ${written}`), multipart)
      .parts()
      .next()
    expect(part).toMatchObject({ filename })
  })

  test('has a file in application/octet-stream, named or not', async () => {
    const text = partOf(`${named}\r\nContent-Type: application/octet-stream`)
    expect((await whole(text, multipart).form()).get('a')).toBeInstanceOf(File)
  })

  test('may have no part at all', async () => {
    expect([...(await whole(`--${boundary}--\r\n`, multipart).form())]).toEqual([])
  })

  test('is what the parser of Fetch makes of it', async () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 30 })
    const name = fc.oneof(value, fc.stringMatching(/^[a-z"%\r\n;= -]{0,12}$/)).map(withoutControls)
    const entry = fc.tuple(name, value, fc.option(name))
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async entries => {
        const form = new FormData()
        for (const [name, value, filename] of entries) {
          if (filename === null) form.append(name, value)
          else form.append(name, new File([value], `f${filename}`))
        }
        const written = new Response(form)
        const type = written.headers.get('content-type')!
        const bytes = Buffer.from(await written.arrayBuffer())
        const fetched = await new Response(bytes, { headers: { 'content-type': type } }).formData()
        expect(await shown(await whole(bytes, type).form())).toEqual(await shown(fetched))
      }),
      { numRuns: 300 },
    )
  })

  test('gives each file once, and only before the next part is asked for', async () => {
    const file = (name: string) => ({ name, value: 'x'.repeat(100_000), filename: 'f' })
    const parts = whole(write([file('a'), file('b')]), multipart).parts()
    const a = (await parts.next()).value!
    const begun = a.stream()[Symbol.asyncIterator]()
    await begun.next()
    expect(() => a.stream()).toThrow('only once')
    const b = (await parts.next()).value!
    await expect(begun.next()).rejects.toThrow('before the next one')
    expect(await b.bytes()).toHaveLength(100_000)
    await expect(b.text()).rejects.toThrow('only once')
    expect(await parts.next()).toMatchObject({ done: true })
  })

  test.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['with an empty boundary', 'multipart/form-data; boundary=""', '----'],
    [
      'with a boundary of 71 characters',
      `multipart/form-data; boundary=${'b'.repeat(71)}`,
      partOf(named).replaceAll(boundary, 'b'.repeat(71)),
    ],
    ['with two boundaries', `${multipart}; boundary=other`, write(parts)],
    ['with more behind its boundary', multipart, write(parts).toString().replace('\r\n', 'X\r\n')],
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

const named = 'Content-Disposition: form-data; name="a"'

/** A form with one part, by the text of its header. */
const partOf = (head: string, value = 'x'): string =>
  `--${boundary}\r\n${head}\r\n\r\n${value}\r\n--${boundary}--\r\n`

/** A name that writers send as it is, and that has no folders in it. */
const withoutControls = (name: string): string =>
  name.replace(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f/\\]|^\.+$/g, '')

/** A form as plain values. */
const shown = async (form: FormData) =>
  await Promise.all(
    [...form].map(async ([name, value]) =>
      typeof value === 'string' ? [name, value] : [name, value.name, await value.text()],
    ),
  )

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
