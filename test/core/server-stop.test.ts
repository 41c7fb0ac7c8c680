import {
  Connect,
  createServer,
  type Diagnostic,
  definePlugin,
  HttpRequest,
  HttpResponse,
  type Plugins,
  type Sink,
} from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'
import { onServer } from '../support/in-memory.ts'
import { layer, owner } from '../support/layers.ts'
import { get } from '../support/messages.ts'
import { phases } from '../support/phases.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const path = answering(({ path: asked }) => HttpResponse.text(asked))

/** A handler that waits for a gate, and tells who came. */
function gated() {
  const gate = Promise.withResolvers<void>()
  const began = Promise.withResolvers<HttpRequest>()
  const plugin = answering(async asked => {
    began.resolve(asked)
    await gate.promise
    return HttpResponse.text('late')
  })
  return { plugin, open: () => gate.resolve(), began: began.promise }
}

/** A plugin whose start waits for a gate. */
function starting(log: string[]) {
  const gate = Promise.withResolvers<void>()
  const plugin = onServer('starting', ({ hooks }) => {
    hooks.start.tapPromise('starting', async () => {
      log.push('start')
      await gate.promise
      log.push('started')
    })
    hooks.stop.tap('starting', () => void log.push('stop'))
  })
  return { plugin, open: () => gate.resolve() }
}

describe('stop', () => {
  test('takes no more connections, and ends when the last one has', async () => {
    const { plugin, open, began } = gated()
    await using served = await startServer({ plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await began
    const stopped = served.server.stop()
    await expect(RawClient.connect(served.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    open()
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['late', 'close'])
    client.end()
    await stopped
    expect(served.ended[0]!.outcome.result).toBe('sent')
    expect(served.reports).toEqual([])
  })

  test('leaves idle connections a moment for a request, when it is told to, and answers that', async () => {
    await using served = await startServer({ plugins: [path] })
    await using fresh = await RawClient.connect(served.port)
    await using used = await RawClient.connect(served.port)
    used.send(get())
    await used.response()
    const stopped = served.server.stop({ idle: 20_000 })
    await turns(20)
    for (const client of [fresh, used]) {
      client.send(get('/late'))
      const response = await client.response()
      expect([response.status, response.field('connection')]).toEqual([200, 'close'])
      client.end()
    }
    // It waits no longer than for the last one.
    await stopped
  })

  test('ends connections that have had an answer when their moment is over, and waits for first requests', async () => {
    await using served = await startServer({ plugins: [path] })
    await using fresh = await RawClient.connect(served.port)
    await using used = await RawClient.connect(served.port)
    used.send(get())
    await used.response()
    const stopped = served.server.stop({ idle: 20 })
    expect(await used.closed).toBe('end')
    fresh.send(get('/first'))
    const response = await fresh.response()
    expect([response.status, response.field('connection')]).toEqual([200, 'close'])
    for (const client of [fresh, used]) client.end()
    await stopped
  })

  test('waits no longer for a first request than ever', async () => {
    const limits = { headTimeout: 50 }
    await using served = await startServer({ plugins: [path], limits })
    await using fresh = await RawClient.connect(served.port)
    const stopped = served.server.stop({ idle: 20 })
    expect(await fresh.closed).toBe('end')
    fresh.end()
    await stopped
    expect(served.reports).toEqual([])
  })

  test('leaves a layer the time for its handshake where others go on serving', async () => {
    const drained = vi.fn()
    let goOn: (() => void) | undefined
    const shaking = layer('shaking', Connect.Address, (stream, info, server) => {
      goOn = () => server.serve(stream, info)
      return { ...owner('shaking'), drain: drained }
    })
    await using served = await startServer({ plugins: [shaking, path] })
    await using fresh = await RawClient.connect(served.port)
    await vi.waitUntil(() => goOn !== undefined)
    const stopped = served.server.stop({ idle: 1 })
    await vi.waitUntil(() => served.server.endsIdle === 'used')
    goOn!()
    fresh.send(get('/first'))
    expect((await fresh.response()).status).toBe(200)
    expect(drained).not.toHaveBeenCalled()
    fresh.end()
    await stopped
  })

  test('answers what has been received when the moment is over, however late that is noticed', async () => {
    await using served = await startServer({ plugins: [path] })
    await using used = await RawClient.connect(served.port)
    used.send(get())
    await used.response()
    const stopped = served.server.stop({ idle: 20 })
    await turns()
    // It goes out at once, and nobody reads it before the timer fires.
    used.send(get('/received'))
    const end = performance.now() + 40
    while (performance.now() < end);
    expect((await used.response()).status).toBe(200)
    used.end()
    await stopped
  })

  test('takes time away when it is called again with less, and gives none back', async () => {
    const { plugin, began } = gated()
    await using served = await startServer({ plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    const { signal } = await began
    const patient = served.server.stop({ deadline: 1_000_000 })
    void served.server.stop({ deadline: 20 })
    void served.server.stop({ deadline: 1_000_000 })
    await patient
    expect(signal.aborted).toBe(true)
    expect(served.reports).toMatchObject([{ code: 'DRAIN_CUT', request: 'GET /' }])
  })

  test('with deadline 0 cuts everything, and tells each exchange', async () => {
    const { plugin, began } = gated()
    await using served = await startServer({ plugins: [plugin] })
    await using busy = await RawClient.connect(served.port)
    await using idle = await RawClient.connect(served.port)
    await using half = await RawClient.connect(served.port)
    busy.send(get())
    half.send('GET / HT')
    const { signal } = await began
    await served.server.stop({ deadline: 0 })
    expect(signal.aborted).toBe(true)
    await Promise.all([busy.closed, idle.closed, half.closed])
    expect(new Set(served.reports.map(({ code }) => code))).toEqual(new Set(['DRAIN_CUT']))
    expect(served.ended.map(({ outcome }) => outcome.result)).toContain('aborted')
  })

  test('with deadline 0 lets leave what was answered in its turn, and reports only what is cut', async () => {
    const stopped = Promise.withResolvers<void>()
    const plugin = answering(asked => {
      if (asked.path === '/whole') return HttpResponse.text('whole')
      stopped.resolve(served.server.stop({ deadline: 0 }))
      return new Promise(() => undefined)
    })
    await using served = await startServer({ plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/whole') + get('/cut'))
    await client.closed
    await stopped.promise
    expect(client.received).toMatch(/whole$/)
    expect(served.reports.map(({ message }) => message)).toEqual([expect.stringContaining('was at work')])
  })

  test('runs done for what it cuts before stop, also without a socket and in an old generation', async () => {
    const log: string[] = []
    const plugins = (name: string, plugin: Plugins[number]) => [
      phases(log),
      definePlugin({
        name: 'noting',
        site: ({ hooks }) =>
          hooks.done.tap('done', (_request, _response, { result }) => void log.push(`${name} ${result}`)),
      }),
      plugin,
    ]
    const [old, now] = [gated(), gated()]
    const server = await createServer({ plugins: plugins('old', old.plugin) })
    const first = server.inject().catch((error: Error) => error.message)
    await old.began
    await server.reload({ plugins: plugins('new', now.plugin) })
    const second = server.inject().catch((error: Error) => error.message)
    await now.began
    log.length = 0
    await server.stop({ deadline: 0 })
    expect(await Promise.all([first, second])).toEqual(['the server stopped', 'the server stopped'])
    expect(log.slice(0, 2)).toEqual(['old aborted', 'new aborted'])
    expect(log.slice(-2)).toEqual(['stop reload', 'stop shutdown'])
  })

  test('waits for no transport that never tells how an answer ended', async () => {
    const log: string[] = []
    const server = await createServer({ plugins: [phases(log), answering(() => HttpResponse.text('x'))] })
    await server.inject()
    const silent: Sink = {
      onDrain: null,
      onClose: null,
      bytes: 0,
      inform: () => undefined,
      head: () => undefined,
      write: () => true,
      end: () => undefined,
      reset: () => undefined,
    }
    server.dispatch(new HttpRequest({ method: 'GET', target: '/', headers: { host: 'a' } }), silent)
    await server.reload({ plugins: [] })
    await server.stop({ deadline: 0 })
    expect(log).toEqual(['start', 'stop reload'])
  })

  test('with deadline 0 hurries one that is under way', async () => {
    const { plugin, began } = gated()
    await using served = await startServer({ plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await began
    const patient = served.server.stop({ deadline: 1_000_000 })
    await turns(20)
    await served.server.stop({ deadline: 0 })
    await patient
    await client.closed
  })

  test('runs the stop hooks after the last request, once, however often it is called', async () => {
    const log: string[] = []
    const { plugin, open, began } = gated()
    const noting = definePlugin({
      name: 'noting',
      site: ({ hooks }) =>
        hooks.done.tap('done', (_request, _response, { result }) => void log.push(`done ${result}`)),
    })
    await using served = await startServer({ plugins: [phases(log), noting(), plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await began
    const stops = [served.server.stop(), served.server.stop()]
    await turns(20)
    expect(log).toEqual(['start'])
    open()
    await client.response()
    client.end()
    await Promise.all(stops)
    expect(log).toEqual(['start', 'done sent', 'stop shutdown'])
  })

  test('waits for requests that came without a socket', async () => {
    const { plugin, open, began } = gated()
    const server = await createServer({ plugins: [plugin] })
    const answer = server.inject()
    await began
    let isStopped = false
    const stopped = server.stop().then(() => {
      isStopped = true
    })
    await turns(20)
    expect(isStopped).toBe(false)
    open()
    expect((await answer).status).toBe(200)
    await stopped
  })

  test('takes as long as the config says, unless the caller says otherwise', async () => {
    const { plugin, began } = gated()
    await using served = await startServer({ stop: { deadline: '50ms' }, plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/slow'))
    await began
    await served.server.stop()
    expect(served.reports).toMatchObject([{ code: 'DRAIN_CUT', request: 'GET /slow' }])
  })

  test('may be given more time than a timer can wait', async () => {
    const { plugin, open, began } = gated()
    await using served = await startServer({ stop: { deadline: '60d' }, plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await began
    const stopped = served.server.stop()
    await turns(100)
    open()
    expect((await client.response()).status).toBe(200)
    client.end()
    await stopped
    expect(served.reports).toEqual([])
  })

  test('during the start waits for it, opens no port, and ends what has started', async () => {
    const log: string[] = []
    const { plugin, open } = starting(log)
    const server = await createServer({ listen: [{ port: 0 }], plugins: [plugin] })
    const refused = expect(server.listen()).rejects.toThrow('the server was stopped')
    const stopped = server.stop()
    await turns(20)
    expect(log).toEqual(['start'])
    open()
    await Promise.all([refused, stopped])
    expect(log).toEqual(['start', 'started', 'stop'])
    expect(server.listeners).toEqual([])
  })

  test('does not wait for a start that hangs longer than it may take, and names who hangs', async () => {
    const log: string[] = []
    const reports: Diagnostic[] = []
    const watch = onServer('watch', ({ hooks }) =>
      hooks.report.tap('watch', diagnostic => void reports.push(diagnostic)),
    )
    const server = await createServer({ listen: [{ port: 0 }], plugins: [watch, starting(log).plugin] })
    server.listen().catch(() => undefined)
    await server.stop({ deadline: 20 })
    expect(log).toEqual(['start'])
    expect(reports).toEqual([
      {
        code: 'START_LATE',
        severity: 'warning',
        message:
          'plugin "starting", start tap "starting" had not ended when the server stopped; no plugin is told of the stop',
      },
    ])
  })

  test('of a server that never started runs nothing', async () => {
    const log: string[] = []
    const server = await createServer({ plugins: [phases(log)] })
    await server.stop()
    expect(log).toEqual([])
  })
})
