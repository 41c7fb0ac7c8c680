import { Readable } from 'node:stream'
import { Handle, HttpError, HttpResponse, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { serveTraced, sources } from './serve-traced.ts'

const answers = (name: string, make: () => HttpResponse) =>
  onSite(name, site => site.hooks.handle.tap({ name, stage: 0 }, make))
const text = () => HttpResponse.text('hello')

describe('each field of the answer has who set it', () => {
  test('the plugin that answered, those that changed it, and the kernel', async () => {
    const { trace } = await serveTraced([
      answers('route', () => HttpResponse.text('hello', { headers: { 'x-a': '1', 'x-b': '1' } })),
      onSite('shapes', site =>
        site.hooks.transform.tap({ name: 'shapes', stage: 0 }, response => void response.set('x-b', '2')),
      ),
      onSite('delivers', site =>
        site.hooks.deliver.tap('delivers', response => void response.set('x-b', '3').append('x-c', '1')),
      ),
    ])
    const found = await trace()
    expect(sources(found)).toEqual([
      'x-a: route',
      'content-type: route',
      'accept-ranges: kernel RFC 9110 14.3',
      'x-b: delivers',
      'x-c: delivers',
      'date: kernel RFC 9110 6.6.1',
      'content-length: kernel RFC 9110 8.6',
    ])
    const changed = found.answer!.fields.find(({ name }) => name === 'x-b')!
    expect([changed.value, changed.before.map(({ plugin }) => plugin)]).toEqual(['3', ['route', 'shapes']])
  })

  test('each line of its own, where several have one name', async () => {
    const sets = (name: string) =>
      onSite(name, site => site.hooks.deliver.tap(name, response => void response.append('x-many', name)))
    const { trace } = await serveTraced([answers('route', text), sets('one'), sets('two')])
    const found = (await trace()).answer!.fields.filter(({ name }) => name === 'x-many')
    expect(found.map(({ value, source }) => [value, source.plugin])).toEqual([
      ['one', 'one'],
      ['two', 'two'],
    ])
  })

  test('the kernel, because of a coding', async () => {
    const encodes = onSite('encodes', site =>
      site.hooks.transform.tap(
        { name: 'encodes', stage: Transform.Encode },
        response => void response.encode('gzip', () => Buffer.from('x')),
      ),
    )
    const { trace } = await serveTraced([
      answers('route', () => HttpResponse.text('hello', { headers: { etag: '"a"' } })),
      encodes,
    ])
    const found = await trace()
    expect(sources(found).slice(0, 4)).toEqual([
      'content-type: route',
      'etag: kernel RFC 9110 8.8.3.3 after encodes',
      'content-encoding: encodes',
      'vary: kernel RFC 9110 12.5.5 after encodes',
    ])
  })

  test('the kernel, because of another body', async () => {
    const replaces = onSite('replaces', site =>
      site.hooks.transform.tap({ name: 'replaces', stage: 0 }, response => void response.replace('x')),
    )
    const { trace } = await serveTraced([
      answers('route', () => HttpResponse.text('hello', { headers: { etag: '"a"' } })),
      replaces,
    ])
    expect((await trace()).steps[1]!.changes).toContainEqual({
      what: 'field',
      name: 'etag',
      from: '"a"',
      to: null,
      rule: { text: 'other bytes have another tag', section: 'RFC 9110 8.8.3' },
    })
  })

  test('but not the kernel where a tap says by itself that it looked at Accept-Encoding', async () => {
    const varies = onSite('varies', site =>
      site.hooks.transform.tap(
        { name: 'varies', stage: 0 },
        response => void response.vary('Accept-Encoding'),
      ),
    )
    expect(sources(await (await serveTraced([answers('route', text), varies])).trace())).toContain(
      'vary: varies',
    )
  })

  test('but not the kernel where a tap sets a tag of its own', async () => {
    const retags = onSite('retags', site =>
      site.hooks.transform.tap({ name: 'retags', stage: 0 }, response => void response.set('etag', '"b"')),
    )
    const { trace } = await serveTraced([
      answers('route', () => HttpResponse.text('hello', { headers: { etag: '"a"' } })),
      retags,
    ])
    expect(sources(await trace())).toContain('etag: retags')
  })

  test('who threw, of the fields of an error', async () => {
    const { trace } = await serveTraced([
      onSite('auth', site =>
        site.hooks.handle.tap({ name: 'auth', stage: Handle.Guard }, () => {
          throw new HttpError(401, undefined, { headers: { 'www-authenticate': 'Basic realm="x"' } })
        }),
      ),
      onSite('shapes', site =>
        site.hooks.error.tap('shapes', ({ status }) => HttpResponse.json({ status }, status)),
      ),
    ])
    const found = sources(await trace())
    expect(found).toContain('www-authenticate: auth')
    expect(found).toContain('content-type: shapes')
  })

  test.each(['authorization', 'cookie', 'proxy-authorization'])('and %s is masked', async name => {
    const replaces = onSite('replaces', site =>
      site.hooks.deliver.tap('replaces', response => void response.set('set-cookie', 'b=secret')),
    )
    const { trace } = await serveTraced([
      answers('route', () => text().append('set-cookie', 'a=secret')),
      replaces,
    ])
    const found = await trace({ headers: { [name]: 'secret' } })
    expect(found.request.headers).toContainEqual([name, '(masked)'])
    expect(JSON.stringify(found)).not.toContain('secret')
  })
})

describe('the body', () => {
  test.each<[string, () => HttpResponse | Promise<HttpResponse>, object]>([
    ['none', () => HttpResponse.empty(204), { kind: 'none', bytes: 0 }],
    ['text', text, { kind: 'text', bytes: 5 }],
    ['bytes', () => HttpResponse.bytes(Buffer.from('abc')), { kind: 'bytes', bytes: 3 }],
    ['a stream', () => HttpResponse.stream(Readable.from(['a'])), { kind: 'stream', bytes: null }],
    [
      'a stream of known length',
      () => HttpResponse.stream(Readable.from(['a']), { length: 1 }),
      { kind: 'stream', bytes: 1 },
    ],
  ])('%s', async (_, make, body) => {
    const { trace } = await serveTraced([
      onSite('route', site => site.hooks.handle.tapPromise({ name: 'route', stage: 0 }, async () => make())),
    ])
    expect((await trace()).answer!.body).toEqual(body)
  })

  test('of several ranges', async () => {
    const { trace } = await serveTraced([answers('route', text)])
    expect((await trace({ headers: { range: 'bytes=0-0,3-3' } })).answer!.body.kind).toBe('parts')
  })
})
