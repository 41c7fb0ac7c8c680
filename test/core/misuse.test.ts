import { Readable } from 'node:stream'
import {
  Deliver,
  definePlugin,
  Handle,
  type HttpRequest,
  HttpResponse,
  type Plugins,
  Transform,
} from 'rawhttp'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { get, statuses } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'

// What a plugin can do wrong with an answer, and what comes of it: what the client gets, that the next request of the
// connection is in step or the connection cut, and who is named. The rules themselves are tested where they stand.

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

/** A server with a faulty plugin at `/`, and a sound one everywhere. */
async function serve(...faulty: Plugins): Promise<TestServer> {
  const served = await startServer({
    plugins: [...faulty, answering(() => HttpResponse.text('sound'), 'sound')],
  })
  onTestFinished(() => served[Symbol.asyncDispose]())
  return served
}

const answers = (answer: Answer): Plugins[number] =>
  answering(request => (request.path === '/' ? answer(request) : undefined), 'faulty')

/** Expects that a request behind what was read is answered by itself. */
async function expectInStep(client: RawClient): Promise<void> {
  expect(client.received).toBe('')
  client.send(get('/next'))
  expect((await client.response()).body.toString()).toBe('sound')
}

const unfit = ['a\rb', 'a\nb', 'a\r\nx-injected: b', 'a\0b']

type Change = readonly [string, (response: HttpResponse) => unknown]

const changes: readonly Change[] = [
  ...unfit.map((text): Change => [`the value ${JSON.stringify(text)}`, response => response.set('x', text)]),
  ...unfit.map(
    (text): Change => [`the name ${JSON.stringify(text)}`, response => response.append(text, 'x')],
  ),
  ['a Content-Length of its own', response => response.set('Content-Length', '1')],
  ['a Transfer-Encoding', response => response.set('transfer-encoding', 'chunked')],
  ['a Connection', response => response.append('connection', 'keep-alive')],
]

const statusChanges = [0, 99, 100, 101, 199, 600, 1e9, 200.5, Number.NaN, '200' as unknown as number].map(
  status =>
    [
      `the status ${String(status)}`,
      (response: HttpResponse) => {
        response.status = status
      },
    ] as const,
)

const places: Readonly<Record<string, (change: (response: HttpResponse) => unknown) => Plugins[number]>> = {
  handle: change =>
    definePlugin({
      name: 'faulty',
      site({ hooks }) {
        hooks.handle.tap({ name: 'faulty', stage: Handle.Route - 1 }, request => {
          if (request.path !== '/') return undefined
          const response = HttpResponse.text('a')
          change(response)
          return response
        })
      },
    })(),
  transform: change =>
    definePlugin({
      name: 'faulty',
      site({ hooks }) {
        hooks.transform.tap({ name: 'faulty', stage: Transform.Shape }, (response, { path }) => {
          if (path === '/' && response.status === 200) change(response)
        })
      },
    })(),
  deliver: change =>
    definePlugin({
      name: 'faulty',
      site({ hooks }) {
        hooks.deliver.tap({ name: 'faulty', stage: Deliver.Headers }, (response, { path }) => {
          if (path === '/' && response.status === 200) change(response)
        })
      },
    })(),
}

describe.each(Object.keys(places))('in %s, nothing leaves of', hook => {
  test.each([...changes, ...statusChanges])('%s: a 500, and the plugin is named', async (_, change) => {
    const served = await serve(places[hook]!(change))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const { status, fields, body } = await client.response()
    expect(status).toBe(500)
    expect(fields.map(([name]) => name)).not.toContain('x-injected')
    expect(body.toString()).not.toContain('faulty')
    expect(served.reports).toEqual([
      expect.objectContaining({
        code: 'TAP_FAILED',
        severity: 'error',
        plugin: 'faulty',
        hook,
        tap: 'faulty',
      }),
    ])
    if (hook !== 'deliver') await expectInStep(client)
  })
})

describe('a body', () => {
  const kinds: readonly (readonly [string, (status: number) => HttpResponse])[] = [
    ['text', status => HttpResponse.text('not for you', status)],
    ['a stream', status => HttpResponse.stream(Readable.from(['not for you']), { status })],
  ]

  test.each([204, 205, 304].flatMap(status => kinds.map(([kind, make]) => [kind, status, make] as const)))(
    'of %s on a %d is dropped, and the plugin named',
    async (_kind, status, make) => {
      const served = await serve(answers(() => make(status)))
      await using client = await RawClient.connect(served.port)
      client.send(get() + get('/next'))
      expect((await client.response()).status).toBe(status)
      expect((await client.response()).body.toString()).toBe('sound')
      expect(client.received).toBe('')
      expect(served.reports).toEqual([
        expect.objectContaining({
          code: 'BODY_DROPPED',
          severity: 'error',
          plugin: 'faulty',
          request: 'GET /',
        }),
      ])
    },
  )

  test.each([204, 205, 304])('that is empty is no fault on a %d', async status => {
    const served = await serve(answers(() => HttpResponse.text('', status)))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(status)
    await expectInStep(client)
    expect(served.reports).toEqual([])
  })

  test('that is longer than its length is cut there, and the plugin named', async () => {
    const served = await serve(
      answers(() => HttpResponse.stream(Readable.from(['abc', 'def']), { length: 4 })),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).body.toString()).toBe('abcd')
    await expectInStep(client)
    expect(served.reports).toEqual([expect.objectContaining({ code: 'BODY_TOO_LONG', plugin: 'faulty' })])
  })

  async function* fails() {
    yield 'part'
    // The head is out by then.
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    throw new Error('the disk is gone')
  }

  test.each([
    [
      'that is shorter than its length',
      'HTTP/1.1',
      () => HttpResponse.stream(Readable.from(['part']), { length: 9 }),
    ],
    ['that fails half-way, in chunks', 'HTTP/1.1', () => HttpResponse.stream(fails())],
    ['that fails half-way, of known length', 'HTTP/1.1', () => HttpResponse.stream(fails(), { length: 9 })],
    ['that fails half-way, up to the end', 'HTTP/1.0', () => HttpResponse.stream(fails())],
  ])('%s is cut, and the plugin named', async (_, version, answer) => {
    const served = await serve(answers(answer))
    await using client = await RawClient.connect(served.port)
    client.send(`GET / ${version}\r\nHost: a\r\nConnection: keep-alive\r\n\r\n${get('/next')}`)
    expect(await client.closed).toBe(version === 'HTTP/1.0' ? 'reset' : 'end')
    expect(client.received).not.toMatch(/\r\n0\r\n|sound/)
    const [ended] = await served.untilEnded(1)
    expect(ended!.outcome.result).toBe('failed')
    expect(served.reports[0]).toMatchObject({ severity: 'error', plugin: 'faulty' })
  })

  test('that fails before its head is out is a 500', async () => {
    const stream = () => new Readable({ read() {} }).destroy(new Error('the disk is gone'))
    const served = await serve(answers(() => HttpResponse.stream(stream())))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(500)
    await expectInStep(client)
    expect(served.reports).toEqual([expect.objectContaining({ severity: 'error', plugin: 'faulty' })])
  })
})

test('a second answer is dropped, and the plugin named', async () => {
  const twice = definePlugin({
    name: 'faulty',
    site({ hooks }) {
      hooks.handle.tapAsync({ name: 'faulty', stage: Handle.Route - 1 }, ({ path }, done) => {
        if (path !== '/') return done(null)
        done(null, HttpResponse.text('first'))
        done(null, HttpResponse.text('second'))
      })
    },
  })
  const served = await serve(twice())
  await using client = await RawClient.connect(served.port)
  client.send(get())
  expect((await client.response()).body.toString()).toBe('first')
  await expectInStep(client)
  expect(served.reports).toEqual([expect.objectContaining({ code: 'TAP_CALLED_TWICE', plugin: 'faulty' })])
})

type Values = () => Record<string, string>

const faultyTrailers: readonly (readonly [string, Values])[] = [
  ...unfit.map((text): [string, Values] => [JSON.stringify(text), () => ({ 'x-sum': text })]),
  ['of the framing', () => ({ 'transfer-encoding': 'chunked' })],
  ['null', () => null as never],
  ['a text', () => 'x-sum: 1' as never],
  ['a promise', (async () => ({ 'x-sum': '1' })) as never],
  ['a promise that fails', (() => Promise.reject(new Error('no sum'))) as never],
  [
    'thrown',
    () => {
      throw new Error('no sum')
    },
  ],
]

describe.each(faultyTrailers)('trailers that are %s', (_, values) => {
  test('break off the answer that has announced them, and the plugin is named', async () => {
    const served = await serve(
      answers(() => HttpResponse.stream(Readable.from(['a'])).trailers(['x-sum'], values)),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(await client.closed).toBe('end')
    expect(client.received).toContain('trailer: x-sum')
    expect(client.received).not.toContain('\r\n0\r\n')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('failed')
    expect(served.reports).toEqual([expect.objectContaining({ code: 'TAP_FAILED', plugin: 'faulty' })])
  })

  test('are left out where nothing has announced them, and the plugin is named', async () => {
    const served = await serve(answers(() => HttpResponse.text('a').trailers(['x-sum'], values)))
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).body.toString()).toBe('a')
    await expectInStep(client)
    expect(served.reports).toEqual([expect.objectContaining({ code: 'TAP_FAILED', plugin: 'faulty' })])
  })
})

test('the trailers of an answer to HEAD are not asked for: it has no body that they could follow', async () => {
  const values = vi.fn(() => ({ 'x-sum': '1' }))
  const served = await serve(
    answers(() => HttpResponse.stream(Readable.from(['a'])).trailers(['x-sum'], values)),
  )
  await using client = await RawClient.connect(served.port)
  client.send(get().replace('GET', 'HEAD'))
  await served.untilEnded(1)
  expect(values).not.toHaveBeenCalled()
})

const notMethods = ['G\r\nX: 1', '', 'GET, POST', 7, null]

test.each(notMethods)('%j is not allowed as a method: a 500, and the plugin is named', async method => {
  const served = await serve(
    answers(request => {
      request.allow('GET', method as string)
      return HttpResponse.error(405)
    }),
  )
  for (const asked of [get(), get().replace('GET', 'OPTIONS')]) {
    await using client = await RawClient.connect(served.port)
    client.send(asked)
    expect((await client.response()).status).toBe(500)
    await expectInStep(client)
  }
  const report = expect.objectContaining({
    code: 'TAP_FAILED',
    plugin: 'faulty',
    message: expect.stringContaining('allow: a method must be a token such as "GET"'),
  })
  expect(served.reports).toEqual([report, report])
})

test.each([Object.create(null), 7, undefined, ['a']])(
  'the detail %j is refused where it is set: a 500, and the plugin is named',
  async detail => {
    const served = await serve(
      answers(() => {
        const response = HttpResponse.error(400)
        response.detail = detail as never
        return response
      }),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(500)
    await expectInStep(client)
    expect(served.reports[0]).toMatchObject({
      plugin: 'faulty',
      message: expect.stringContaining('detail must be a string or null, got'),
    })
  },
)

describe('an answer of a class of its own, which throws', () => {
  const thrower = () => {
    throw new Error('own class')
  }
  class Unsealed extends HttpResponse {
    override seal = thrower
  }
  class Fieldless extends HttpResponse {
    override field = thrower
  }

  test.each([
    ['when it is taken, at once', () => new Unsealed(200)],
    ['when it is taken, later', async () => new Unsealed(200)],
    ['when it is completed, at once', () => new Fieldless(405)],
    ['when it is completed, later', async () => new Fieldless(405)],
  ])('%s: a 500, and the plugin is named', async (_, answer) => {
    const served = await serve(answers(answer))
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: close'))
    expect(statuses(await client.rest())).toEqual([500])
    expect(served.reports).toEqual([expect.objectContaining({ code: 'TAP_FAILED', plugin: 'faulty' })])
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('sent')
  })

  test('behind transform: a 500', async () => {
    const shape = definePlugin({
      name: 'shape',
      site: ({ hooks }) => hooks.transform.tap({ name: 'shape', stage: Transform.Shape }, () => undefined),
    })
    const served = await serve(
      shape(),
      answers(() => new Fieldless(405)),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: close'))
    expect(statuses(await client.rest())).toEqual([500])
    expect(served.reports[0]).toMatchObject({ plugin: 'faulty' })
  })
})

test.each(unfit)('the interim field %j does not leave: a 500, and the plugin is named', async text => {
  const served = await serve(
    answers(request => {
      request.inform(103, { link: text })
      return HttpResponse.text('a')
    }),
  )
  await using client = await RawClient.connect(served.port)
  client.send(get())
  expect((await client.response({ interim: true })).status).toBe(500)
  await expectInStep(client)
  expect(served.reports).toEqual([expect.objectContaining({ code: 'TAP_FAILED', plugin: 'faulty' })])
})

test.each([99, 100, 101, 200, 1e9, Number.NaN])(
  'the interim status %d does not leave: a 500, and the plugin is named',
  async status => {
    const served = await serve(
      answers(request => {
        request.inform(status, {})
        return HttpResponse.text('a')
      }),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response({ interim: true })).status).toBe(500)
    expect(served.reports).toEqual([expect.objectContaining({ code: 'TAP_FAILED', plugin: 'faulty' })])
  },
)

// No fault of the plugin: nobody is named.
test('an answer to a client that has left is dropped, and its body ended', async () => {
  const gate = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<HttpRequest>()
  const body = new Readable({ read() {} })
  const served = await serve(
    answers(async request => {
      asked.resolve(request)
      await gate.promise
      return HttpResponse.stream(body)
    }),
  )
  await using client = await RawClient.connect(served.port)
  client.send(get())
  const { signal } = await asked.promise
  const left = new Promise(resolve => signal.addEventListener('abort', resolve))
  const ended = new Promise(resolve => body.once('close', resolve))
  client.reset()
  await left
  gate.resolve()
  await ended
  expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
  expect(served.reports).toEqual([])
  await using next = await RawClient.connect(served.port)
  next.send(get('/next', 'Connection: close'))
  expect(statuses(await next.rest())).toEqual([200])
})
