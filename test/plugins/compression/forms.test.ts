import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { HttpResponse, Transform } from 'rawhttp'
import { compression } from 'rawhttp/plugins/compression'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'
import { page, read, serving, text } from './answers.ts'

/** A body that counts how often it was read. */
function counted() {
  const body = {
    reads: 0,
    async *[Symbol.asyncIterator]() {
      body.reads++
      yield text
    },
  }
  return { body, answer: () => new HttpResponse(200, body, { 'content-type': 'text/plain', etag: '"v1"' }) }
}

describe('the tag of each form', () => {
  test.each([
    ['"v1"', 'gzip', '"v1-gzip"'],
    ['"v1"', 'br', '"v1-br"'],
    ['"v1"', 'zstd', '"v1-zstd"'],
    ['W/"v1"', 'br', 'W/"v1-br"'],
    ['"v1"', '', '"v1"'],
  ])('%s is for Accept-Encoding %j %s', async (etag, accept, expected) => {
    const ask = await serving(() => page().set('etag', etag))
    expect((await ask({ 'accept-encoding': accept })).headers.get('etag')).toBe(expected)
  })

  test('is weak for a stream, of which each run makes other bytes', async () => {
    const stream = () =>
      HttpResponse.stream(Readable.from([text]), { headers: { 'content-type': 'text/plain', etag: '"v1"' } })
    const ask = await serving(stream)
    expect((await ask({ 'accept-encoding': 'br' })).headers.get('etag')).toBe('W/"v1-br"')
  })

  test('Last-Modified stays', async () => {
    const date = 'Sun, 01 Nov 2026 00:00:00 GMT'
    const ask = await serving(() => page().set('last-modified', date))
    expect((await ask({ 'accept-encoding': 'br' })).headers.get('last-modified')).toBe(date)
  })
})

describe('nothing is compressed that is not sent', () => {
  test('the tag of a form that the client has is a 304, with Vary and that tag', async () => {
    const { body, answer } = counted()
    const ask = await serving(answer)
    const response = await ask({ 'accept-encoding': 'br', 'if-none-match': '"v1-br"' })
    expect(response.status).toBe(304)
    expect(response.headers.get('etag')).toBe('W/"v1-br"')
    expect(response.headers.get('vary')).toBe('Accept-Encoding')
    expect(response.headers.get('content-encoding')).toBeUndefined()
    expect(body.reads).toBe(0)
  })

  test('the tag of another form is none that the client could use', async () => {
    const ask = await serving(counted().answer)
    for (const tag of ['"v1"', '"v1-gzip"']) {
      const response = await ask({ 'accept-encoding': 'br', 'if-none-match': tag })
      expect(response.status).toBe(200)
      expect(read(response)).toBe(text)
    }
  })

  test('a precondition that fails is a 412 without compression', async () => {
    const { body, answer } = counted()
    const ask = await serving(answer)
    const response = await ask({ 'accept-encoding': 'br', 'if-match': '"v1"' })
    expect(response.status).toBe(412)
    expect(response.headers.get('content-encoding')).toBeUndefined()
    expect(body.reads).toBe(0)
  })

  test.each(['gzip', 'br', 'zstd', ''])(
    'HEAD gets the fields of GET for %j, and nothing runs',
    async accept => {
      const { body, answer } = counted()
      const ask = await serving(answer)
      const head = await ask({ 'accept-encoding': accept }, { method: 'HEAD' })
      expect(body.reads).toBe(0)
      const get = await ask({ 'accept-encoding': accept })
      const fields = (response: typeof get) => [...response.headers].filter(([name]) => name !== 'date')
      expect(fields(head)).toEqual(fields(get))
      expect(head.body).toHaveLength(0)
    },
  )

  test('the length of an encoded form is not known to HEAD, and not guessed', async () => {
    const ask = await serving(page)
    const head = await ask({ 'accept-encoding': 'gzip' }, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBeUndefined()
    const plain = await ask({}, { method: 'HEAD' })
    expect(plain.headers.get('content-length')).toBe(String(text.length))
  })
})

describe('ranges', () => {
  test('are taken of the body as it is, with its tag and Vary', async () => {
    const ask = await serving(() => page().set('etag', '"v1"'))
    const answer = await ask({ 'accept-encoding': 'br', range: 'bytes=4-8' })
    expect(answer.status).toBe(206)
    expect(answer.text()).toBe(text.slice(4, 9))
    expect(answer.headers.get('etag')).toBe('"v1"')
    expect(answer.headers.get('vary')).toBe('Accept-Encoding')
    expect(answer.headers.get('content-encoding')).toBeUndefined()
  })

  test('never join a part of the body as it is to one of an encoded form', async () => {
    const ask = await serving(() => page().set('etag', '"v1"'))
    const answer = await ask({ 'accept-encoding': 'br', range: 'bytes=4-8', 'if-range': '"v1-br"' })
    expect(answer.status).toBe(200)
    expect(answer.text()).toBe(text)
  })

  test('are not offered of an encoded form', async () => {
    const ask = await serving(page)
    expect((await ask({ 'accept-encoding': 'br' })).headers.get('accept-ranges')).toBeUndefined()
    expect((await ask()).headers.get('accept-ranges')).toBe('bytes')
  })
})

test('one response that many share is encoded for each client as that one likes it', async () => {
  const shared = page().set('etag', '"v1"')
  const ask = await serving(() => shared)
  const accepts = ['gzip', 'br', 'zstd', '', 'br']
  const answers = await Promise.all(accepts.map(accept => ask({ 'accept-encoding': accept })))
  expect(answers.map(answer => answer.headers.get('content-encoding') ?? '')).toEqual(accepts)
  for (const answer of answers) expect(read(answer)).toBe(text)
  expect(shared.headers.get('vary')).toBeUndefined()
})

test('two instances encode once', async () => {
  const ask = await serving(
    page,
    {},
    { sites: [{ name: 'one', plugins: [compression({ codings: ['gzip'] })] }] },
  )
  const answer = await ask({ 'accept-encoding': 'gzip, br' })
  expect(answer.headers.get('content-encoding')).toBe('gzip')
  expect(read(answer)).toBe(text)
})

test('a response that says it is finished is left alone', async () => {
  const ask = await serving(() => page().transformed())
  const answer = await ask({ 'accept-encoding': 'gzip' })
  expect(answer.headers.get('content-encoding')).toBeUndefined()
})

test('a plugin behind it sees the encoded form, and one before it the plain one', async () => {
  const seen: (string | undefined)[] = []
  const look = (stage: number) =>
    onSite(`look${stage}`, site =>
      site.hooks.transform.tap({ name: 'look', stage }, response => {
        seen.push(response.headers.get('content-encoding'))
      }),
    )
  const ask = await serving(page, {}, { plugins: [look(Transform.Shape), look(Transform.Store)] })
  await ask({ 'accept-encoding': 'br' })
  expect(seen).toEqual([undefined, 'br'])
})

test('what is kept gets the higher level, up to 128 kB', async () => {
  const bodies = ['a', 'b'].map(letter => `${text}${letter}`.repeat(letter === 'a' ? 10 : 40))
  expect(bodies.map(body => body.length > 131_072)).toEqual([false, true])
  for (const body of bodies) {
    const sizes: number[] = []
    const keeper = onSite('keeper', site =>
      site.hooks.transform.tapPromise(
        { name: 'keeper', stage: Transform.Store },
        async (response, request) => {
          const keep = request.headers.has('keep')
          sizes.push((await response.bytes({ keep })).length)
        },
      ),
    )
    const options = { levels: { gzip: 1 }, keptLevels: { gzip: 9 } }
    const { ask } = await serve([answering(() => HttpResponse.text(body)), compression(options), keeper])
    const sent = await ask({ headers: { 'accept-encoding': 'gzip' } })
    const kept = await ask({ headers: { 'accept-encoding': 'gzip', keep: '1' } })
    expect(read(kept)).toBe(body)
    expect(read(sent)).toBe(body)
    if (body.length > 131_072) expect(sizes[1]).toBe(sizes[0])
    else expect(sizes[1]).toBeLessThan(sizes[0]!)
  }
})

test.each(['zstd', 'br', 'gzip'] as const)('levels of %s are those of the config', async coding => {
  const source = readFileSync(new URL('../../../core/request.ts', import.meta.url), 'utf8')
  const size = async (level: number) => {
    const ask = await serving(() => HttpResponse.text(source), { levels: { [coding]: level } })
    return (await ask({ 'accept-encoding': coding })).body.length
  }
  expect(await size(6)).toBeLessThan(await size(1))
})
