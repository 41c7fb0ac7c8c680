import { mkdir, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { Deliver, FileSlice, Handle, HttpResponse, type Plugins, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite, serve } from '../support/in-memory.ts'
import { RawClient } from '../support/raw-client.ts'
import { startServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

const typed = (response: HttpResponse) => [response.status, response.headers.get('content-type')]

async function* letters() {
  yield 'ab'
  yield 'c'
}

describe('the makers', () => {
  test.each<[string, HttpResponse, number, string | undefined, string]>([
    ['text', HttpResponse.text('caf\xe9'), 200, 'text/plain; charset=utf-8', 'caf\xe9'],
    ['html', HttpResponse.html('<p>'), 200, 'text/html; charset=utf-8', '<p>'],
    ['json', HttpResponse.json({ a: [1] }), 200, 'application/json', '{"a":[1]}'],
    ['json', HttpResponse.json(null), 200, 'application/json', 'null'],
    ['bytes', HttpResponse.bytes(new Uint8Array([97])), 200, 'application/octet-stream', 'a'],
    ['stream', HttpResponse.stream(letters()), 200, 'application/octet-stream', 'abc'],
    ['redirect', HttpResponse.redirect('/a'), 302, undefined, ''],
    ['empty', HttpResponse.empty(), 204, undefined, ''],
    ['error', HttpResponse.error(404), 404, undefined, ''],
    ['problem', HttpResponse.problem({ status: 403 }), 403, 'application/problem+json', '{"status":403}'],
  ])('%s has status, type and body', async (_name, response, status, type, text) => {
    expect(typed(response)).toEqual([status, type])
    expect(await response.text()).toBe(text)
  })

  test('take a status, or status and header fields', () => {
    const headers = { 'x-a': '1' }
    for (const make of [
      (init: number | object) => HttpResponse.text('a', init),
      (init: number | object) => HttpResponse.html('a', init),
      (init: number | object) => HttpResponse.json('a', init),
      (init: number | object) => HttpResponse.bytes(Buffer.from('a'), init),
      (init: number | object) => HttpResponse.stream(letters(), init),
      (init: number | object) => HttpResponse.empty(init),
      (init: number | object) => HttpResponse.problem({ status: 400 }, init),
    ]) {
      expect(make(299).status).toBe(299)
      expect(make({ status: 299, headers }).status).toBe(299)
      expect(make({ headers }).headers.get('x-a')).toBe('1')
    }
    expect(HttpResponse.redirect('/a', { headers })).toMatchObject({ status: 302 })
    expect(HttpResponse.error(404, 'why', { headers })).toMatchObject({
      status: 404,
      detail: 'why',
      body: null,
    })
  })

  test('leave a Content-Type that was given', () => {
    const headers = { 'Content-Type': 'text/csv' }
    expect(HttpResponse.text('a', { headers }).headers.getAll('content-type')).toEqual(['text/csv'])
  })

  test('take several lines of one name', () => {
    const headers = [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ] as const
    expect(HttpResponse.text('a', { headers }).headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
  })

  test.each([[undefined], [() => 1], [Symbol('a')]])('json refuses %s, for which JSON has no form', value => {
    expect(() => HttpResponse.json(value)).toThrow(/^JSON has no form for /)
  })

  test('json refuses a cycle', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => HttpResponse.json(cycle)).toThrow('circular')
  })

  test('stream refuses what is no stream: a declared length of other bytes would frame the message wrongly', () => {
    for (const body of ['abc', Buffer.from('abc'), null, ['a']]) {
      expect(() => HttpResponse.stream(body as never, { length: 1 })).toThrow(
        'stream: expected an async iterable, got',
      )
    }
  })

  test.each([-1, 0.5, Number.NaN, '3', 2 ** 60])('stream refuses the length %j', length => {
    expect(() => HttpResponse.stream(letters(), { length: length as number })).toThrow(
      /^length must be a whole number of bytes, got /,
    )
  })

  test('error takes error statuses only', () => {
    expect(() => HttpResponse.error(200)).toThrow('error: status must be 400 to 599, got 200')
    expect(() => HttpResponse.error(600)).toThrow('status must be an integer from 200 to 599, got 600')
  })
})

describe('file', () => {
  test('has type, date and bytes of the file, by path or URL', async () => {
    const path = await tempFile('a page.html', '<p>')
    for (const where of [path, pathToFileURL(path)]) {
      const response = await HttpResponse.file(where)
      expect(typed(response)).toEqual([200, 'text/html; charset=utf-8'])
      expect(response.headers.get('last-modified')).toMatch(/ GMT$/)
      expect(response.body).toBeInstanceOf(FileSlice)
      expect(await response.text()).toBe('<p>')
    }
  })

  test.each([
    ['html', 'application/octet-stream'],
    ['a.unknown-extension', 'application/octet-stream'],
    ['A.JSON', 'application/json; charset=utf-8'],
  ])('of the name %s is %s', async (name, type) => {
    expect(typed(await HttpResponse.file(await tempFile(name, '')))[1]).toBe(type)
  })

  test('was changed now at the latest, if its date lies in the future', async () => {
    const path = await tempFile('a.txt', 'a')
    await utimes(path, 0, Date.now() / 1000 + 86_400)
    const before = Math.floor(Date.now() / 1000) * 1000
    const told = Date.parse((await HttpResponse.file(path)).headers.get('last-modified')!)
    expect(told).toBeGreaterThanOrEqual(before)
    expect(told).toBeLessThanOrEqual(Date.now())
  })

  test('keeps what the caller says of it', async () => {
    const path = await tempFile('a.txt', 'a')
    const headers = { 'content-type': 'text/x-own', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }
    const response = await HttpResponse.file(path, { status: 203, headers })
    expect([response.status, response.headers.toObject()]).toEqual([203, headers])
  })

  test('is a 404 where there is no file, or a folder, or a path with a NUL', async () => {
    const path = await tempFile('a.txt', 'a')
    await mkdir(join(dirname(path), 'folder'))
    for (const wrong of [`${path}x`, join(dirname(path), 'folder'), `${path}\0`]) {
      await expect(HttpResponse.file(wrong)).rejects.toMatchObject({ status: 404, code: 'FILE_MISSING' })
    }
  })

  test('takes no relative path: the working directory is nobody’s choice', async () => {
    await expect(HttpResponse.file('./package.json')).rejects.toThrow(
      'file: expected an absolute path, got "./package.json"; use site.resolve()',
    )
  })
})

describe('redirect', () => {
  test.each([
    ['/a?b=c#d', '/a?b=c#d'],
    ['/caf\xe9 au lait', '/caf%C3%A9%20au%20lait'],
    ['/%20 %zz', '/%20%20%zz'],
    ['/a\r\nset-cookie: x', '/a%0D%0Aset-cookie:%20x'],
    ['/\\evil.example', '/%5Cevil.example'],
    ['/"<>^`{|}', '/%22%3C%3E%5E%60%7B%7C%7D'],
    ['/\ud800', '/%EF%BF%BD'],
    ['http://[::1]:80/', 'http://[::1]:80/'],
  ])('to %j escapes what a URI cannot have', (location, sent) => {
    expect(HttpResponse.redirect(location).headers.get('location')).toBe(sent)
  })

  test('takes a URL', () => {
    expect(HttpResponse.redirect(new URL('https://a.example/b c'), 308).headers.get('location')).toBe(
      'https://a.example/b%20c',
    )
  })

  test.each([301, 302, 303, 307, 308])('may be a %d', status => {
    expect(HttpResponse.redirect('/', status).status).toBe(status)
  })

  test.each([200, 300, 304, 404])('may not be a %d', status => {
    expect(() => HttpResponse.redirect('/', status)).toThrow(
      `redirect: status must be 301, 302, 303, 307 or 308, got ${status}`,
    )
  })
})

describe('upgrade', () => {
  const handler = () => undefined

  test('takes a protocol with or without version', () => {
    for (const protocol of ['websocket', 'h2c', 'TLS/1.0'])
      expect(HttpResponse.upgrade({ protocol }, handler).upgradeProtocol).toBe(protocol)
  })

  test.each(['', 'a b', 'a\r\nb: c', 'a/', '/1', undefined])('refuses the protocol %j', protocol => {
    expect(() => HttpResponse.upgrade({ protocol: protocol as string }, handler)).toThrow(
      /^upgrade: protocol must be a token such as "websocket", got /,
    )
  })

  test('refuses a handler that is none, and fields of the kernel', () => {
    expect(() => HttpResponse.upgrade({ protocol: 'a' }, undefined as never)).toThrow(
      'upgrade: expected a function that takes the stream, got undefined',
    )
    expect(() =>
      HttpResponse.upgrade({ protocol: 'a', headers: { connection: 'upgrade' } }, handler),
    ).toThrow('connection belongs to the kernel')
  })
})

/** Sets a cookie that tells one client from another, where the taps of the hook may. */
const cookies = (hook: 'deliver' | 'transform') =>
  onSite('cookies', site => {
    let visitors = 0
    const tag = (response: HttpResponse) => void response.append('set-cookie', `visitor=${++visitors}`)
    if (hook === 'deliver') site.hooks.deliver.tap({ name: 'cookies', stage: Deliver.Headers }, tag)
    else site.hooks.transform.tap({ name: 'cookies', stage: Transform.Shape }, tag)
  })

/** Gives one response to everybody. */
const sharing = (make: () => HttpResponse | Promise<HttpResponse>) =>
  onSite('sharing', async site => {
    const shared = await make()
    site.hooks.handle.tap({ name: 'sharing', stage: Handle.Route }, () => shared)
  })

const kinds: [string, () => HttpResponse | Promise<HttpResponse>][] = [
  ['a constant', () => HttpResponse.text('hello', { headers: { 'x-own': '1', vary: 'Accept' } })],
  ['a file', async () => HttpResponse.file(await tempFile('a.txt', 'hello'))],
  ['a finished one, as a cache gives it', () => HttpResponse.text('hello').transformed()],
]

describe.each(kinds)('%s that is given to several clients', (_kind, make) => {
  test('shows the cookie of each in its own answer only', async () => {
    const { ask, reports } = await serve([cookies('deliver'), sharing(make)])
    const answers = await Promise.all([ask(), ask(), ask({ method: 'HEAD' })])
    expect(answers.map(({ headers }) => headers.getAll('set-cookie'))).toEqual([
      ['visitor=1'],
      ['visitor=2'],
      ['visitor=3'],
    ])
    expect(answers.map(answer => answer.text())).toEqual(['hello', 'hello', ''])
    expect(reports).toEqual([])
  })

  test('is the same for the next one, whatever the taps made of it', async () => {
    const spoiler = onSite('spoiler', site => {
      let isFirst = true
      site.hooks.transform.tap({ name: 'spoiler', stage: Transform.Shape }, response => {
        if (!isFirst) return
        response.replace('spoilt').set('content-type', 'text/spoilt').delete('x-own').vary('Origin')
        response.status = 203
      })
      site.hooks.deliver.tap('spoiler', response => {
        if (isFirst) response.set('x-spoilt', '1').vary('Cookie').close()
        isFirst = false
      })
    })
    const { ask } = await serve([spoiler, sharing(make)])
    const plain = await (await serve([sharing(make)])).ask()
    await ask()
    const second = await ask()
    const without = (answer: typeof plain) => ({
      ...answer.headers.toObject(),
      date: '',
      'last-modified': '',
    })
    expect(without(second)).toEqual(without(plain))
    expect([second.status, second.text()]).toEqual([200, 'hello'])
  })
})

test('a cookie that transform sets shows in one answer only', async () => {
  const { ask } = await serve([cookies('transform'), sharing(() => HttpResponse.text('hello'))])
  const [first, second] = [await ask(), await ask()]
  expect(first.headers.getAll('set-cookie')).toEqual(['visitor=1'])
  expect(second.headers.getAll('set-cookie')).toEqual(['visitor=2'])
})

test('on one connection too, each answer has its own head', async () => {
  const { server } = await serve({
    listen: [{ port: 0 }],
    plugins: [cookies('deliver'), sharing(() => HttpResponse.text('hello'))],
  })
  const [{ url }] = (await server.listen()) as [{ url: string }]
  await using client = await RawClient.connect(Number(new URL(url).port))
  client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(3))
  for (const visitor of [1, 2, 3]) {
    const answer = await client.response()
    expect(answer.field('set-cookie')).toBe(`visitor=${visitor}`)
    expect(answer.body.toString()).toBe('hello')
  }
})

describe('a response that is changed after it was given', () => {
  const careless = (change: (shared: HttpResponse, at: number) => unknown) =>
    onSite('careless', site => {
      const shared = HttpResponse.text('hello')
      let at = 0
      site.hooks.handle.tap({ name: 'careless:answer', stage: Handle.Route }, () => {
        change(shared, at++)
        return shared
      })
    })

  test('by its handler fails the second request, and the report names the plugin', async () => {
    const { ask, reports } = await serve([careless((shared, at) => shared.set('x-at', `${at}`))])
    expect((await ask()).headers.get('x-at')).toBe('0')
    const second = await ask()
    expect([second.status, second.text()]).toEqual([500, '500 Internal Server Error\n'])
    expect(reports).toMatchObject([
      {
        code: 'TAP_FAILED',
        plugin: 'careless',
        hook: 'handle',
        tap: 'careless:answer',
        message:
          'plugin "careless", handle tap "careless:answer" failed: x-at cannot change: ' +
          'this response was already given as an answer; taps change the fork they get',
      },
    ])
  })

  test('by a tap that kept what transform gave back does not reach the client', async () => {
    const template = HttpResponse.text('template')
    const replaces = onSite('replaces', site => {
      site.hooks.transform.tap({ name: 'replaces', stage: Transform.Shape }, () => template)
      site.hooks.deliver.tap('replaces', () => void template.set('x-late', '1'))
    })
    const { ask, reports } = await serve([replaces, sharing(() => HttpResponse.text('hello'))])
    expect((await ask()).status).toBe(500)
    expect(reports[0]?.message).toContain(
      'plugin "replaces", deliver tap "replaces" failed: x-late cannot change',
    )
  })
})

describe('what a plugin may not set is named with the plugin', () => {
  const inHandle = (change: (response: HttpResponse) => unknown) =>
    onSite('wrong', site =>
      site.hooks.handle.tap({ name: 'wrong', stage: Handle.Route }, () => {
        const response = HttpResponse.text('a')
        change(response)
        return response
      }),
    )
  const inTransform = (change: (response: HttpResponse) => unknown) =>
    onSite('wrong', site =>
      site.hooks.transform.tap({ name: 'wrong', stage: Transform.Shape }, response => void change(response)),
    )
  const inDeliver = (change: (response: HttpResponse) => unknown) =>
    onSite('wrong', site => site.hooks.deliver.tap('wrong', response => void change(response)))
  const hello = sharing(() => HttpResponse.text('hello'))

  test.each<[string, Plugins[number], string]>([
    ['handle', inHandle(response => response.set('connection', 'close')), 'connection belongs to the kernel'],
    [
      'transform',
      inTransform(response => response.set('content-length', '1')),
      'content-length belongs to the kernel',
    ],
    ['deliver', inDeliver(response => response.append('upgrade', 'x')), 'upgrade belongs to the kernel'],
    ['handle', inHandle(response => response.set('x', 'a\r\nb')), 'x: expected text of latin1'],
    ['deliver', inDeliver(response => response.set('x\0', 'a')), 'is not a field name'],
    [
      'deliver',
      inDeliver(response => response.set('content-type', 'a/b')),
      'content-type cannot change in deliver',
    ],
    ['deliver', inDeliver(response => response.replace('b')), 'body cannot change in deliver'],
  ])('in %s', async (hook, plugin, sentence) => {
    const { ask, reports } = await serve([plugin, hello])
    const answer = await ask()
    expect(answer.status).toBe(500)
    expect(answer.text()).not.toContain('kernel')
    expect(reports[0]).toMatchObject({ code: 'TAP_FAILED', plugin: 'wrong', hook, tap: 'wrong' })
    expect(reports[0]?.message).toContain(sentence)
  })

  test('but a security policy is set in deliver', async () => {
    const policy = inDeliver(response => response.set('content-security-policy', "default-src 'self'"))
    const { ask, reports } = await serve([policy, hello])
    expect((await ask()).headers.get('content-security-policy')).toBe("default-src 'self'")
    expect(reports).toEqual([])
  })
})

describe('a coding', () => {
  const coded = (base: () => HttpResponse, made: { count: number }) => [
    onSite('coding', site =>
      site.hooks.transform.tap({ name: 'coding', stage: Transform.Encode }, response => {
        if (response.status !== 200) return
        response.encode('x-upper', async () => {
          made.count++
          return Buffer.from((await base().text()).toUpperCase())
        })
      }),
    ),
    sharing(base),
  ]
  const tagged = () => HttpResponse.text('hello', { headers: { etag: '"v1"' } })

  test('is made when a body is sent', async () => {
    const made = { count: 0 }
    const { ask } = await serve(coded(tagged, made))
    const answer = await ask()
    expect(answer.text()).toBe('HELLO')
    expect(answer.headers.toObject()).toMatchObject({
      etag: '"v1-x-upper"',
      vary: 'Accept-Encoding',
      'content-encoding': 'x-upper',
    })
    expect(made.count).toBe(1)
  })

  test.each<[string, object, number]>([
    ['HEAD', { method: 'HEAD' }, 200],
    ['a 304', { headers: { 'if-none-match': '"v1-x-upper"' } }, 304],
    ['a 412', { headers: { 'if-match': '"v1"' } }, 412],
  ])('is not made for %s', async (_name, options, status) => {
    const made = { count: 0 }
    const { ask } = await serve(coded(tagged, made))
    const answer = await ask(options)
    expect(answer.status).toBe(status)
    expect(made.count).toBe(0)
    if (status !== 412) expect(answer.headers.get('vary')).toBe('Accept-Encoding')
  })

  test.each<[string, object]>([
    ['HEAD', { method: 'HEAD' }],
    ['a 304', { headers: { 'if-none-match': '"v1-gzip"' } }],
  ])('leaves no stream open that %s does not read', async (_name, options) => {
    const source = new PassThrough()
    const plugins = [
      onSite('coding', site =>
        site.hooks.transform.tap({ name: 'coding', stage: Transform.Encode }, response => {
          response.encode('gzip', () => source)
        }),
      ),
      sharing(() => HttpResponse.stream(source, { headers: { etag: '"v1"' } })),
    ]
    const { ask } = await serve(plugins)
    await ask(options)
    expect(source.destroyed).toBe(true)
  })
})

test('a stream in whose place a tap puts another response is ended', async () => {
  const source = new PassThrough()
  const replaces = onSite('replaces', site =>
    site.hooks.transform.tap({ name: 'replaces', stage: Transform.Shape }, () => HttpResponse.text('other')),
  )
  const { ask } = await serve([replaces, sharing(() => HttpResponse.stream(source))])
  expect((await ask()).text()).toBe('other')
  expect(source.destroyed).toBe(true)
})

test('a stream that fails while a tap takes its time is a 500, not the end of the process', async () => {
  const source = new PassThrough()
  const slow = onSite('slow', site =>
    site.hooks.transform.tapPromise({ name: 'slow', stage: Transform.Shape }, async ({ status }) => {
      if (status !== 200) return
      source.destroy(new Error('disk'))
      await new Promise(resolve => source.once('close', resolve))
    }),
  )
  const { ask, reports } = await serve([slow, sharing(() => HttpResponse.stream(source))])
  expect((await ask()).status).toBe(500)
  expect(reports[0]?.message).toContain('disk')
})

test('trailers that would begin another message are not sent, and break the answer off', async () => {
  const plugin = onSite('trailing', site =>
    site.hooks.handle.tap({ name: 'trailing', stage: Handle.Route }, () =>
      HttpResponse.stream(Readable.from(['abc'])).trailers(['x-sum'], () => ({
        'x-sum': '1\r\n\r\nHTTP/1.1 200 OK',
      })),
    ),
  )
  await using server = await startServer({ plugins: [plugin] })
  await using client = await RawClient.connect(server.port)
  client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  // The chunk that would end the message is missing.
  expect(await client.rest()).toMatch(/\r\nabc\r\n$/)
  expect(client.received).not.toContain('x-sum: 1')
  expect(server.reports[0]?.message).toContain('x-sum: expected text of latin1')
})
