import fc from 'fast-check'
import {
  createServer,
  Deliver,
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  type PluginServer,
  type RequestTrace,
  scope,
  type Tracer,
  Transform,
} from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onServer, onSite, serve } from '../../support/in-memory.ts'

const answers = onSite('answers', site =>
  site.hooks.handle.tap({ name: 'answers', stage: 0 }, () => HttpResponse.text('hello')),
)

/** A plugin that traces, and what it was given. */
function tracing(tracer: Partial<Tracer> = {}, name = 'tracing') {
  const traces: RequestTrace[] = []
  const plugin = onServer(name, server => {
    server.trace({ wants: () => true, finished: each => void traces.push(each), ...tracer })
  })
  return { traces, plugin }
}

describe('a generation', () => {
  test('in which nobody traces has no hooks that record', async () => {
    const tells = onServer('tells', ({ hooks }) => hooks.protocolError.tap('tells', () => undefined))
    const { server } = await serve([answers, tells])
    const { sites, rootSite, tracedProtocolError } = server.generation
    expect([...sites, rootSite].map(site => site.traced)).toEqual([null, null])
    expect(tracedProtocolError).toBeNull()
  })

  test('gives requests that nobody wants the hooks that do not record', async () => {
    const { plugin, traces } = tracing({ wants: ({ path }) => path === '/a' })
    const { server, ask } = await serve([plugin, answers])
    const [site] = server.generation.sites
    const fired: string[] = []
    for (const kind of ['fired', 'traced'] as const)
      site![kind]!.handle!.intercept({ call: () => void fired.push(kind) })
    await ask('/a')
    await ask('/b')
    expect(fired).toEqual(['traced', 'fired'])
    expect(traces.map(({ request }) => request.path)).toEqual(['/a'])
  })

  test('shares what sites tap alike, recording or not', async () => {
    const deliver = () => undefined
    const shared = onSite('shared', site => site.hooks.deliver.tap('shared', deliver))
    const { server } = await serve({
      plugins: [tracing().plugin, shared],
      sites: ['a', 'b', 'c'].map(name => ({ name, hosts: [name] })),
    })
    expect(new Set(server.generation.sites.map(site => site.traced!.deliver)).size).toBe(1)
  })
})

describe('a tracer', () => {
  test('is asked once for each request, when path and site are known and before any tap', async () => {
    const seen: unknown[] = []
    const { plugin } = tracing({
      wants: ({ path, site, limits, tap }) => seen.push([path, site.name, limits.bodyBytes > 0, tap]) > 0,
    })
    const { ask } = await serve([plugin, answers])
    await ask('/a/../b')
    expect(seen).toEqual([['/b', 'default', true, null]])
  })

  test('gets its trace behind all done taps, and the request', async () => {
    const order: string[] = []
    const { plugin } = tracing({
      finished: ({ steps, outcome }, request) =>
        void order.push(`finished ${request.path} ${outcome?.result} ${steps.at(-1)!.by}`),
    })
    const late = onSite('late', site => site.hooks.done.tap('late', () => void order.push('done')))
    await (await serve([plugin, answers, late])).ask('/a')
    expect(order).toEqual(['done', 'finished /a sent plugin'])
  })

  test('gets only what it wants, each its own', async () => {
    const [one, two] = [
      tracing({ wants: ({ path }) => path !== '/b' }, 'one'),
      tracing({ wants: ({ path }) => path !== '/a' }, 'two'),
    ]
    const { ask } = await serve([one.plugin, two.plugin, answers])
    for (const path of ['/a', '/b', '/c']) await ask(path)
    expect([one, two].map(({ traces }) => traces.map(({ request }) => request.path))).toEqual([
      ['/a', '/c'],
      ['/b', '/c'],
    ])
    expect(one.traces[1]).toBe(two.traces[1])
  })

  test('is told of requests of its scope, and of sites that have its plugin', async () => {
    const [narrow, ofSite] = [tracing({}, 'narrow'), tracing({}, 'of-site')]
    const { ask } = await serve({
      plugins: [scope({ path: '/in/*' }, [narrow.plugin])],
      sites: [
        { name: 'a', hosts: ['a'], plugins: [ofSite.plugin] },
        { name: 'b', hosts: ['b'] },
      ],
    })
    for (const host of ['a', 'b', 'c'])
      for (const url of ['/in/x', '/out']) await ask({ url, headers: { host } })
    expect(narrow.traces.map(({ request }) => `${request.host}${request.path}`)).toEqual([
      'a/in/x',
      'b/in/x',
      'c/in/x',
    ])
    expect(ofSite.traces.map(({ request }) => `${request.host}${request.path}`)).toEqual(['a/in/x', 'a/out'])
  })

  test.each(['wants', 'finished'] as const)(
    'that throws in %s is reported, and the answer stands',
    async part => {
      const boom = () => {
        throw new Error('boom')
      }
      const other = tracing({}, 'other')
      const { ask, reports } = await serve([tracing({ [part]: boom }, 'bad').plugin, other.plugin, answers])
      expect((await ask('/')).text()).toBe('hello')
      expect(other.traces).toHaveLength(1)
      expect(reports).toEqual([
        {
          code: 'TRACER_FAILED',
          message: 'plugin "bad", its tracer failed: boom',
          severity: 'error',
          plugin: 'bad',
          cause: new Error('boom'),
        },
      ])
    },
  )

  test('is refused behind the setup, with its place', async () => {
    let late: PluginServer | undefined
    await serve([
      onServer('late', server => {
        late = server
      }),
    ])
    expect(() => late!.trace({ wants: () => true })).toThrow(
      /^plugin "late": hooks are sealed; call server\.trace in server\(\) or site\(\), before they end \(test\/.*tracing\.test\.ts:\d+\)$/,
    )
  })

  test('needs no `finished`: taps can ask for the trace so far', async () => {
    const seen: (string[] | undefined)[] = []
    let soFar: (request: HttpRequest) => RequestTrace | null
    const tells = onServer('tells', server => {
      soFar = server.trace({ wants: ({ path }) => path === '/a' })
    })
    const asks = onSite('asks', site =>
      site.hooks.deliver.tap('asks', (_response, request) => {
        const trace = soFar(request)
        seen.push(trace?.steps.map(step => (step.by === 'plugin' ? `${step.tap} ${step.result}` : '')))
        if (trace !== null) expect([trace.answer, trace.outcome]).toEqual([null, null])
      }),
    )
    const { ask } = await serve([tells, answers, asks])
    await ask('/a')
    await ask('/b')
    expect(seen).toEqual([['answers answered', 'asks unfinished'], undefined])
  })
})

test('what the transport adds to a head is known as soon as the head is out', async () => {
  const seen: unknown[] = []
  let soFar: (request: HttpRequest) => RequestTrace | null
  const tells = onServer('tells', server => {
    soFar = server.trace({ wants: () => true })
  })
  const streams = onSite('streams', site =>
    site.hooks.handle.tap({ name: 'streams', stage: 0 }, request => {
      const body = async function* () {
        yield 'a'
        for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
        seen.push(soFar(request)?.answer?.fields.map(({ name }) => name))
      }
      return HttpResponse.stream(body())
    }),
  )
  await (await serve([tells, streams])).ask('/')
  expect(seen).toEqual([['content-type', 'date']])
})

test('a reload begins anew: who traces is said by the config that is in charge', async () => {
  const [one, two] = [tracing({}, 'one'), tracing({}, 'two')]
  const { ask, reload } = await serve([one.plugin, answers])
  await ask('/a')
  await reload({ plugins: [two.plugin] })
  await ask('/b')
  await reload({})
  await ask('/c')
  expect([one, two].map(({ traces }) => traces.map(({ request }) => request.path))).toEqual([['/a'], ['/b']])
})

test('a trace is plain data', async () => {
  const { plugin, traces } = tracing()
  await (await serve([plugin, answers])).ask('/a')
  expect(JSON.parse(JSON.stringify(traces[0]))).toEqual(traces[0])
})

// Whatever taps do, clients and logs must not see whether somebody looks on.
test('an answer is the same, traced or not', async () => {
  const acts = ['pass', 'answer', 'fail', 'refuse', 'late'] as const
  const plugins = onSite('acts', ({ hooks }) => {
    const act = (request: HttpRequest, at: string) => request.query.get(at)
    hooks.handle.tap({ name: 'sync', stage: Handle.Guard }, request => perform(act(request, 'sync')))
    hooks.handle.tapPromise({ name: 'promise', stage: Handle.Match }, async request => {
      await Promise.resolve()
      return perform(act(request, 'promise'))
    })
    hooks.handle.tapAsync({ name: 'callback', stage: Handle.Route }, (request, callback) => {
      setImmediate(() => {
        try {
          callback(null, perform(act(request, 'callback')))
        } catch (error) {
          callback(error as Error)
        }
      })
    })
    hooks.error.tap('shape', (error, request) =>
      act(request, 'error') === 'answer'
        ? HttpResponse.json({ status: error.status }, error.status)
        : undefined,
    )
    hooks.transform.tapPromise({ name: 'encode', stage: Transform.Encode }, async (response, request) => {
      const what = act(request, 'transform')
      if (what === 'answer') response.encode('x-test', () => Buffer.from('encoded'))
      if (what === 'fail') throw new Error('transform')
      return what === 'late' ? HttpResponse.text('another', { headers: { etag: '"b"' } }) : undefined
    })
    hooks.deliver.tap({ name: 'deliver', stage: Deliver.Headers }, (response, request) => {
      if (act(request, 'deliver') === 'fail') throw new Error('deliver')
      response.append('x-delivered', '1')
    })
  })
  const perform = (what: string | null): HttpResponse | undefined => {
    if (what === 'fail') throw new Error('handle')
    if (what === 'refuse') throw new HttpError(403, 'no', { headers: { 'x-why': 'guard' } })
    return what === 'answer' ? HttpResponse.text('hello', { headers: { etag: '"a"' } }) : undefined
  }
  const [plain, traced] = await Promise.all(
    [[], [onServer('looks', server => void server.trace({ wants: () => true }))]].map(async more => {
      const server = await createServer({
        plugins: [
          onServer('hush', ({ hooks }) => hooks.report.tap('hush', () => undefined)),
          ...more,
          plugins,
        ],
      })
      onTestFinished(() => server.stop({ deadline: 0 }))
      return server
    }),
  )
  const act = fc.constantFrom(...acts)
  const question = fc.record({
    sync: act,
    promise: act,
    callback: act,
    error: act,
    transform: act,
    deliver: act,
  })
  const headers = fc.constantFrom<Record<string, string>>(
    {},
    { 'if-none-match': '"a"' },
    { range: 'bytes=1-2' },
    { 'if-match': '"z"' },
  )
  await fc.assert(
    fc.asyncProperty(
      question,
      headers,
      fc.constantFrom('GET', 'HEAD', 'POST', 'BREW'),
      async (asked, fields, method) => {
        const options = { url: `/?${new URLSearchParams(asked)}`, headers: fields, method }
        const [a, b] = await Promise.all([plain!.inject(options), traced!.inject(options)])
        const told = ({ status, headers: lines, body }: typeof a) => [
          status,
          [...lines].filter(([name]) => name !== 'date'),
          body.toString(),
        ]
        expect(told(b)).toEqual(told(a))
      },
    ),
    { numRuns: 300 },
  )
})
