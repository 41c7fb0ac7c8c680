import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import {
  Deliver,
  definePlugin,
  type FileSlice,
  Handle,
  HttpError,
  HttpResponse,
  type PluginSite,
  type Plugins,
  Transform,
} from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, request, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

const site = (tap: (site: PluginSite) => void, name = 'faulty'): Plugins[number] =>
  definePlugin({ name, site: tap })()

const closing = get('/', 'Connection: close')

// biome-ignore lint/correctness/useYield: it fails before its first piece.
async function* failing(): AsyncGenerator<string> {
  throw new Error('no')
}

describe('an error', () => {
  test('that cannot be sent is a bare 500, and whoever threw it is named', async () => {
    await using served = await startServer({
      plugins: [
        site(({ hooks }) => {
          hooks.handle.tap({ name: 'h', stage: Handle.Route }, () => {
            throw new HttpError(401, 'no', { headers: { 'www-authenticate': 'a\r\nx: y' } })
          })
        }),
      ],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(statuses(bytes)).toEqual([500])
    expect(bytes).not.toContain('x: y')
    expect(served.reports).toMatchObject([{ code: 'TAP_FAILED', plugin: 'faulty', hook: 'handle', tap: 'h' }])
  })

  test('of a stream does not send the head of the page in its place before that page is there', async () => {
    const gone = await HttpResponse.file(await tempFile('500.html', 'sorry'), 500)
    await rm((gone.body as FileSlice).path)
    await using served = await startServer({
      plugins: [
        site(({ hooks }) => hooks.error.tap('page', () => gone)),
        answering(() => HttpResponse.stream(failing())),
      ],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(bytes).toMatch(/^HTTP\/1\.1 500 .*\r\n\r\nInternal Server Error\n$/s)
    expect(served.ended[0]!.outcome.result).toBe('sent')
  })

  test('of a stream is not told of as the answer that it never became', async () => {
    const shaping = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(() => HttpResponse.stream(failing())),
        site(({ hooks }) => {
          hooks.transform.tapPromise(
            { name: 'shape', stage: Transform.Shape },
            async ({ status }, { signal }) => {
              if (status !== 500) return
              shaping.resolve()
              await once(signal, 'abort')
            },
          )
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await shaping.promise
    client.reset()
    const [{ response, outcome }] = (await served.untilEnded(1)) as [TestServer['ended'][0]]
    expect([response, outcome.result]).toEqual([null, 'aborted'])
  })

  test('takes the error hook, transform and deliver, once', async () => {
    const seen: string[] = []
    await using served = await startServer({
      plugins: [
        site(({ hooks }) => {
          hooks.handle.tap({ name: 'h', stage: Handle.Route }, () => {
            throw new HttpError(409, 'taken', { headers: { 'x-why': 'so' } })
          })
          hooks.error.tap('e', error => void seen.push(`error ${error.status}`))
          hooks.transform.tap({ name: 't', stage: Transform.Shape }, response => {
            seen.push(`transform ${response.status} ${response.detail}`)
          })
          hooks.deliver.tap({ name: 'd', stage: Deliver.Headers }, response => {
            seen.push(`deliver ${response.status} ${response.body}`)
          })
        }),
      ],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(seen).toEqual(['error 409', 'transform 409 taken', 'deliver 409 409 Conflict\ntaken\n'])
    expect(bytes).toContain('x-why: so')
    expect(served.reports).toEqual([])
  })

  test('a handler time-out takes the error hook too', async () => {
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        answering(() => new Promise<HttpResponse>(() => undefined)),
        site(({ hooks }) => {
          hooks.error.tap('e', error => HttpResponse.json({ code: error.code }, error.status))
        }),
      ],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(bytes).toContain('503 Service Unavailable')
    expect(bytes).toContain('{"code":"HANDLER_TIMEOUT"}')
    expect(served.reports).toHaveLength(1)
  })

  test('nobody reports what a client brought about: 404, 405, 501, 426', async () => {
    await using served = await startServer({
      plugins: [
        answering(asked => {
          if (asked.path === '/allowed') asked.allow('POST')
          if (asked.path === '/upgrade') return HttpResponse.upgrade({ protocol: 'x' }, () => undefined)
          return undefined as unknown as HttpResponse
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(
      get('/none') + get('/allowed') + request('BREW', '/none') + get('/upgrade', 'Connection: close'),
    )
    expect(statuses(await client.rest())).toEqual([404, 405, 501, 426])
    expect(served.reports).toEqual([])
  })
})

describe('a plugin that throws', () => {
  const hooks: Record<string, { tap: (site: PluginSite) => void; status: number; done?: number }> = {
    handle: {
      tap: ({ hooks }) => hooks.handle.tap({ name: 'bad', stage: Handle.Route }, fail),
      status: 500,
    },
    'handle, async': {
      tap: ({ hooks }) => hooks.handle.tapPromise({ name: 'bad', stage: Handle.Route }, async () => fail()),
      status: 500,
    },
    'handle, by callback': {
      tap: ({ hooks }) =>
        hooks.handle.tapAsync({ name: 'bad', stage: Handle.Route }, (_, done) => done(secret())),
      status: 500,
    },
    error: { tap: ({ hooks }) => hooks.error.tap('bad', fail), status: 500 },
    transform: {
      tap: ({ hooks }) => hooks.transform.tap({ name: 'bad', stage: Transform.Shape }, fail),
      status: 500,
    },
    'transform, async': {
      tap: ({ hooks }) =>
        hooks.transform.tapPromise({ name: 'bad', stage: Transform.Shape }, async () => fail()),
      status: 500,
    },
    deliver: { tap: ({ hooks }) => hooks.deliver.tap('bad', fail), status: 500 },
    done: { tap: ({ hooks }) => hooks.done.tap('bad', fail), status: 404 },
  }

  test.each(Object.entries(hooks))(
    'in %s is named, hides its text, and the server lives on',
    async (name, { tap, status }) => {
      const faulty = definePlugin({ name: 'faulty', site: tap })
      await using served = await startServer({ plugins: [faulty()] })
      await using client = await RawClient.connect(served.port)
      client.send(get())
      const response = await client.response()
      expect(response.status).toBe(status)
      expect(response.body.toString()).not.toContain('secret')
      const hook = name.split(',')[0]!
      expect(served.reports[0]).toMatchObject({ plugin: 'faulty', hook, tap: 'bad', severity: 'error' })
      expect(served.reports[0]!.message).toContain('secret')
      await served.untilEnded(1)
      await using next = await RawClient.connect(served.port)
      next.send(get())
      expect((await next.response()).status).toBe(status)
      expect((await served.untilEnded(2)).map(({ outcome }) => outcome.result)).toEqual(['sent', 'sent'])
    },
  )

  test('in connection: the connection is closed, the plugin named, the server alive', async () => {
    let isBad = true
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'faulty',
          server({ hooks }) {
            hooks.connection.tap({ name: 'bad', stage: 0 }, () => (isBad ? fail() : undefined))
          },
        })(),
      ],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(served.reports[0]).toMatchObject({ plugin: 'faulty', hook: 'connection', tap: 'bad' })
    isBad = false
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([404])
  })

  test('in protocolError: a bare 500, and the plugin named', async () => {
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'faulty',
          server({ hooks }) {
            hooks.protocolError.tap('bad', fail)
          },
        })(),
      ],
    })
    const bytes = await exchangeBytes(served.port, 'BAD\r\n\r\n')
    expect(statuses(bytes)).toEqual([500])
    expect(bytes).not.toContain('secret')
    expect(served.reports).toContainEqual(
      expect.objectContaining({ plugin: 'faulty', hook: 'protocolError' }),
    )
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('refused')
  })

  test('in deliver with an HttpError ends in the bare answer all the same', async () => {
    let runs = 0
    await using served = await startServer({
      plugins: [
        site(({ hooks }) => {
          hooks.deliver.tap('bad', () => {
            runs++
            throw new HttpError(404)
          })
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
    expect(runs).toBe(1)
  })

  function fail(): undefined {
    throw secret()
  }

  function secret(): Error {
    return new Error('a secret of the plugin')
  }
})

describe('a message that reaches no site', () => {
  const table: [string, string, string, number][] = [
    ['malformed', 'GET / HTTP/1.1\r\n\r\n', 'H1-HOST-MISSING', 400],
    ['with a path that is refused', get('/a%00b', 'Connection: close'), 'PATH-ESCAPE', 400],
    ['for a host that no site takes', 'GET / HTTP/1.1\r\nHost: nobody\r\n\r\n', 'HOST-UNKNOWN', 421],
    ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 'H1-CONNECT', 501],
    ['TRACE', request('TRACE', '/'), 'H1-TRACE', 501],
  ]

  test.each(table)(
    '%s runs protocolError, deliver and done of the root plugins, once',
    async (_, message, id, status) => {
      const seen: string[] = []
      const root = definePlugin({
        name: 'root',
        server({ hooks }) {
          hooks.protocolError.tap('p', (error, asked) => {
            seen.push(`protocolError ${error.code} ${error.status} ${asked.refused!.id}`)
            return HttpResponse.text('refused\n', error.status)
          })
        },
        site({ hooks, name }) {
          hooks.handle.tap({ name: 'h', stage: Handle.Prepare }, () => void seen.push('handle'))
          hooks.error.tap('e', () => void seen.push('error'))
          hooks.transform.tap({ name: 't', stage: Transform.Shape }, () => void seen.push('transform'))
          hooks.deliver.tap('d', response => {
            seen.push(`deliver ${name}`)
            response.set('x-root', 'yes')
          })
          hooks.done.tap(
            'n',
            (asked, _response, { result }) => void seen.push(`done ${asked.site.name} ${result}`),
          )
        },
      })
      const own = definePlugin({
        name: 'own',
        site({ hooks }) {
          hooks.deliver.tap('d', () => void seen.push('own deliver'))
        },
      })
      await using served = await startServer({
        plugins: [root()],
        sites: [{ name: 'a', hosts: ['a'], plugins: [own()] }],
      })
      const bytes = await exchangeBytes(served.port, message)
      expect(statuses(bytes)).toEqual([status])
      expect(bytes).toContain('x-root: yes')
      expect(bytes).toContain('connection: close')
      expect(bytes.endsWith('refused\n')).toBe(true)
      expect(seen).toEqual([`protocolError ${id} ${status} ${id}`, 'deliver -', 'done - refused'])
      const { refused } = served.ended[0]!.request
      expect(refused).toMatchObject({ id, status })
      expect(refused!.section).toMatch(/^RFC \d+/)
      expect(served.reports.map(({ code }) => code)).toEqual([id])
    },
  )

  test('gets text from the kernel when no plugin has an answer', async () => {
    await using served = await startServer({})
    const bytes = await exchangeBytes(served.port, 'GET / HTTP/1.1\r\n\r\n')
    expect(bytes.endsWith('\r\n\r\n400 Bad Request\nan HTTP/1.1 request has no Host\n')).toBe(true)
  })
})
