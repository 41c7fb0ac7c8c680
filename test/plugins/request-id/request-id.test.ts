import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import {
  type ConnectionInfo,
  createServer,
  HttpError,
  HttpRequest,
  HttpResponse,
  type PluginItem,
  type Plugins,
  type Sink,
  Slots,
  scope,
} from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { type RequestIdOptions, requestId } from 'rawhttp/plugins/request-id'
import { describe, expect, test } from 'vitest'
import { onServer, onSite, serve } from '../../support/in-memory.ts'
import { exchangeBytes, RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

const ok = answering(() => HttpResponse.text('ok'))

/** The id in the answer to a request that has some of its own. */
async function idFor(options: RequestIdOptions, sent: string | [string, string][]): Promise<string> {
  const { ask } = await serve([requestId(options), ok])
  const headers = typeof sent === 'string' ? { 'x-request-id': sent } : sent
  return String((await ask({ url: '/', headers })).headers.get('x-request-id'))
}

/** For what is dispatched without a socket: the exchange is over when its answer begins. */
class NoSink implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  readonly bytes = 0
  inform(): void {}
  head(): void {
    this.onClose?.(null)
  }
  write(): boolean {
    return true
  }
  end(): void {}
  reset(): void {}
}

describe('every request has an id', () => {
  test('of its own, in the slot and in the answer', async () => {
    const { ask, done } = await serve([requestId(), ok])
    const ids = [await ask('/'), await ask('/')].map(answer => answer.headers.get('x-request-id'))
    expect(ids[0]).toMatch(UUID)
    expect(ids[1]).toMatch(UUID)
    expect(ids[0]).not.toBe(ids[1])
    expect(done.map(({ request }) => request.get(Slots.requestId))).toEqual(ids)
  })

  test('before whatever else prepares it, whatever the order', async () => {
    let seen: string | undefined
    const early = onSite('early', site =>
      site.hooks.handle.tap({ name: 'early', stage: -500 }, request => {
        seen = request.get(Slots.requestId)
      }),
    )
    const { ask } = await serve([early, ok, requestId()])
    expect((await ask('/')).headers.get('x-request-id')).toBe(seen)
    expect(seen).toMatch(UUID)
  })

  test('also one that fails, is not found, or is answered by the cache', async () => {
    const failing = answering(({ path }) => {
      if (path === '/kept') return HttpResponse.text('kept', { headers: { 'cache-control': 'max-age=60' } })
      if (path === '/gone') throw new HttpError(410)
      if (path === '/broken') throw new Error('broken')
      return undefined
    })
    const { ask } = await serve([requestId(), cache(), failing])
    const ids = new Set<unknown>()
    for (const [url, status] of [
      ['/gone', 410],
      ['/broken', 500],
      ['/lost', 404],
      ['/kept', 200],
      ['/kept', 200],
    ] as const) {
      const answer = await ask(url)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-request-id')).toMatch(UUID)
      ids.add(answer.headers.get('x-request-id'))
    }
    expect(ids.size).toBe(5)
  })

  test('and so have messages that the kernel refuses, in answer, page and log', async () => {
    const seen: (string | undefined)[] = []
    const log = onSite('log', site =>
      site.hooks.done.tap('log', request => void seen.push(request.get(Slots.requestId))),
    )
    const pages = errorPages({ prefer: 'problem' })
    await using server = await startServer({ plugins: [log, pages, requestId()] })
    const answer = await exchangeBytes(server.port, 'GET / HTTP/1.1\r\nx-request-id: mine\r\n\r\n')
    const id = /^x-request-id: (.+)$/m.exec(answer)?.[1]?.trim()
    expect(id).toMatch(UUID)
    expect(answer).toContain(`"requestId":"${id}"`)
    expect(seen).toEqual([id])
  })

  test('and those that get no answer at all', async () => {
    const seen: (string | undefined)[] = []
    const log = onSite('log', site =>
      site.hooks.done.tap('log', request => void seen.push(request.get(Slots.requestId))),
    )
    await using server = await startServer({ plugins: [log, requestId()] })
    await using client = await RawClient.connect(server.port)
    client.send(Buffer.from('1603010200010001fc0303', 'hex'))
    await client.closed
    await server.untilEnded(1)
    expect(seen).toEqual([expect.stringMatching(UUID)])
  })

  test('and those whose host no site takes', async () => {
    const { ask } = await serve({
      plugins: [requestId()],
      sites: [{ name: 'a', hosts: ['a.example'], plugins: [ok] }],
    })
    const answer = await ask({ url: '/', headers: { host: 'b.example' } })
    expect(answer.status).toBe(421)
    expect(answer.headers.get('x-request-id')).toMatch(UUID)
  })

  test('which pages, logs and reports show', async () => {
    const failing = answering(() => {
      throw new Error('broken')
    })
    const { ask, reports } = await serve([
      requestId({ generate: () => 'id-7' }),
      errorPages({ prefer: 'problem' }),
      failing,
    ])
    expect((await ask('/x')).json()).toMatchObject({ status: 500, requestId: 'id-7' })
    expect(reports[0]?.request).toBe('GET /x (id-7)')
  })

  test('under the name that the config gives', async () => {
    const { ask } = await serve([requestId({ header: 'X-Correlation-Id', trust: true }), ok])
    const answer = await ask({ url: '/', headers: { 'x-correlation-id': 'abc', 'x-request-id': 'other' } })
    expect(answer.headers.get('x-correlation-id')).toBe('abc')
    expect(answer.headers.get('x-request-id')).toBeUndefined()
  })

  test('only inside its scope', async () => {
    const { ask } = await serve([scope({ path: '/api/*' }, [requestId()]), ok])
    expect((await ask('/api/x')).headers.get('x-request-id')).toMatch(UUID)
    expect((await ask('/')).headers.get('x-request-id')).toBeUndefined()
  })

  test('even where a site has another plugin of the name', async () => {
    const { ask } = await serve({
      plugins: [requestId()],
      sites: [{ name: 'a', plugins: [requestId({ header: 'x-id' }), ok] }],
    })
    const { headers } = await ask('/')
    expect(headers.get('x-id')).toMatch(UUID)
    expect(headers.get('x-request-id')).toBeUndefined()
  })

  test('in place of the one that a handler has copied from elsewhere', async () => {
    const { ask } = await serve([
      answering(() => HttpResponse.text('ok', { headers: { 'x-request-id': 'of the upstream' } })),
      requestId({ generate: () => 'ours' }),
    ])
    expect((await ask('/')).headers.getAll('x-request-id')).toEqual(['ours'])
  })
})

describe('an id that a client sends', () => {
  test('is replaced unless the config trusts', async () => {
    expect(await idFor({}, 'abc')).toMatch(UUID)
    expect(await idFor({ trust: false }, 'abc')).toMatch(UUID)
    expect(await idFor({ trust: true }, 'abc')).toBe('abc')
  })

  test('is taken over from peers in the list only', async () => {
    const from = async (trust: readonly string[]) => {
      await using server = await startServer({ plugins: [requestId({ trust }), ok] })
      const answer = await fetch(server.url, { headers: { 'x-request-id': 'abc' } })
      return answer.headers.get('x-request-id')
    }
    expect(await from(['loopback'])).toBe('abc')
    expect(await from(['10.0.0.0/8', '::1'])).toMatch(UUID)
    expect(await from([])).toMatch(UUID)
  })

  test('is taken over from the proxies that the config trusts', async () => {
    const from = async (trustedProxies: readonly string[]) => {
      await using server = await startServer({
        trustedProxies,
        plugins: [requestId({ trust: 'proxies' }), ok],
      })
      const headers = { 'x-request-id': 'abc', 'x-forwarded-for': '192.0.2.1' }
      return (await fetch(server.url, { headers })).headers.get('x-request-id')
    }
    expect(await from(['loopback'])).toBe('abc')
    expect(await from(['10.0.0.1'])).toMatch(UUID)
  })

  test('does not come from a proxy when a PROXY protocol header has named who is behind it', async () => {
    const proxied = onServer('proxied', server =>
      server.hooks.connection.tap({ name: 'proxied', stage: -200 }, (stream, info) => {
        setImmediate(() => server.serve(stream, { ...info, client: { address: '10.0.0.1', port: 1 } }))
        return { name: 'proxied', drain: () => undefined, destroy: () => undefined }
      }),
    )
    await using server = await startServer({ plugins: [proxied, requestId({ trust: ['loopback'] }), ok] })
    const answer = await fetch(server.url, { headers: { 'x-request-id': 'abc' } })
    expect(answer.headers.get('x-request-id')).toMatch(UUID)
  })

  test('is taken over from the proxy that has the connection, whoever is its client', async () => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const told = onSite('told', site =>
      site.hooks.done.tap('told', request => resolve(request.get(Slots.requestId))),
    )
    await using server = await startServer({ plugins: [told, requestId({ trust: ['loopback'] }), ok] })
    const connection = { client: { address: '127.0.0.1', port: 1 } } as ConnectionInfo
    const client = { address: '192.0.2.1', port: 1 }
    const headers = { 'x-request-id': 'abc' }
    server.server.dispatch(
      new HttpRequest({ method: 'GET', target: '/', headers, client, connection }),
      new NoSink(),
    )
    expect(await promise).toBe('abc')
  })

  test.each([
    'a',
    'A-b_c.d~e+f/g=h:i',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'x'.repeat(128),
  ])('is taken over when it is harmless: %s', async id => {
    expect(await idFor({ trust: true }, id)).toBe(id)
  })

  test.each([
    '',
    'x'.repeat(129),
    'a b',
    'a"b',
    "a'b",
    '<b>',
    'a\\b',
    'a,b',
    'a;b',
    'a%0ab',
    '$(x)',
    'é',
    'a\tb',
  ])('is replaced when it could be mistaken for something else: %j', async id => {
    expect(await idFor({ trust: true }, id)).toMatch(UUID)
  })

  test('is replaced when there are two', async () => {
    const two: [string, string][] = [
      ['x-request-id', 'a'],
      ['x-request-id', 'b'],
    ]
    expect(await idFor({ trust: true }, two)).toMatch(UUID)
  })

  test('never adds a line or a quote to anything, whatever it is', async () => {
    const { ask } = await serve([requestId({ trust: true }), ok])
    const value = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code)),
    })
    await fc.assert(
      fc.asyncProperty(value, async sent => {
        const answer = await ask({ url: '/', headers: { 'x-request-id': sent.trim() } })
        expect(answer.headers.get('x-request-id')).toMatch(/^[\w.~+/=:-]{1,128}$/)
      }),
    )
  })
})

describe('ids of your own', () => {
  test('are asked for once a request', async () => {
    let count = 0
    const { ask } = await serve([requestId({ generate: () => `n${++count}` }), ok])
    expect((await ask('/')).headers.get('x-request-id')).toBe('n1')
    expect((await ask('/')).headers.get('x-request-id')).toBe('n2')
  })

  test.each(['', 'a b', 'a\r\nset-cookie: b', 'x'.repeat(129), 7 as unknown as string])(
    'that are none (%j) are a failure that names the plugin',
    async id => {
      const { ask, reports } = await serve([requestId({ generate: () => id }), ok])
      const answer = await ask('/')
      expect(answer.status).toBe(500)
      expect(answer.headers.get('set-cookie')).toBeUndefined()
      expect(reports[0]?.message).toContain(
        'plugin "request-id", handle tap "request-id" failed: generate: expected 1 to 128 letters',
      )
    },
  )
})

describe('a mistake in the options', () => {
  const failing = (options: unknown) =>
    createServer({ plugins: [(requestId as (options: unknown) => PluginItem)(options)] as Plugins })
  const free = "expected the name of a field that is free, such as 'x-request-id', got"

  test.each([
    [{ header: 'x id' }, `options.header: ${free} 'x id'`],
    [{ header: '' }, `options.header: ${free} ''`],
    [{ header: 'connection' }, `options.header: ${free} 'connection'`],
    [{ header: 'Content-Type' }, `options.header: ${free} 'Content-Type'`],
    [{ header: 'etag' }, `options.header: ${free} 'etag'`],
    [{ header: 7 }, "options.header: expected a field name such as 'x-request-id', got 7"],
    [
      { trust: 'loopback' },
      "options.trust: expected true, false, 'proxies' or a list of addresses such as [",
    ],
    [{ trust: ['10.0.0.1/33'] }, 'options.trust[0]: expected an address such as'],
    [{ generate: 'uuid' }, 'options.generate: expected a function that gives an id'],
    [{ trusted: true }, "options.trusted: unknown option; did you mean 'trust'?"],
    [true, 'options: expected options such as { trust: true }, got true'],
  ])('%j names the option', async (options, sentence) => {
    await expect(failing(options)).rejects.toThrow(`config: plugins[0] (request-id): ${sentence}`)
  })
})

test('the access log has the id', async () => {
  const file = await tempFile('access.log', '')
  const { ask, server } = await serve([
    accessLog({ file, format: '{requestId} {path}' }),
    requestId({ generate: () => 'id-7' }),
    ok,
  ])
  await ask('/x')
  await server.stop()
  expect(await readFile(file, 'latin1')).toBe('id-7 /x\n')
})
