import {
  Connect,
  createServer,
  definePlugin,
  HttpRequest,
  HttpResponse,
  type Plugins,
  type Sink,
} from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'
import { get, post, statuses } from '../support/messages.ts'
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

  test('closes idle connections at once, fresh ones and used ones', async () => {
    await using served = await startServer({ plugins: [path] })
    await using fresh = await RawClient.connect(served.port)
    await using used = await RawClient.connect(served.port)
    used.send(get())
    await used.response()
    const stopped = served.server.stop()
    expect(await Promise.all([fresh.closed, used.closed])).toEqual(['end', 'end'])
    fresh.end()
    used.end()
    await stopped
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

  test('ends idle connections when their moment is over', async () => {
    await using served = await startServer({ plugins: [path] })
    await using client = await RawClient.connect(served.port)
    const stopped = served.server.stop({ idle: 20 })
    expect(await client.closed).toBe('end')
    client.end()
    await stopped
  })

  test('lets a head that has begun come to its end, and answers it', async () => {
    await using served = await startServer({ plugins: [path] })
    await using client = await RawClient.connect(served.port)
    client.send('GET /half HTTP/1.1\r\nHo')
    await turns(50)
    const stopped = served.server.stop()
    await turns(20)
    client.send(`st: a\r\n\r\n${get('/never')}`)
    expect(statuses(await client.rest())).toEqual([200])
    client.end()
    await stopped
    expect(served.ended.map(({ request: asked }) => asked.path)).toEqual(['/half'])
  })

  test('lets a body that has begun come to its end', async () => {
    const began = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(async ({ body }) => {
          began.resolve()
          return HttpResponse.text(await body.text())
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    await began.promise
    const stopped = served.server.stop()
    client.send('lo')
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['hello', 'close'])
    client.end()
    await stopped
  })

  test('lets an answer that is on its way go out whole', async () => {
    const gate = Promise.withResolvers<void>()
    await using served = await startServer({
      plugins: [
        answering(() =>
          HttpResponse.stream(
            (async function* () {
              yield 'one'
              await gate.promise
              yield 'two'
            })(),
          ),
        ),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await client.until('one')
    const stopped = served.server.stop()
    await turns(20)
    gate.resolve()
    expect(await client.rest()).toBe('\r\n3\r\ntwo\r\n0\r\n\r\n')
    client.end()
    await stopped
    expect(served.ended[0]!.outcome.result).toBe('sent')
  })

  test('answers every request of a pipeline that has begun, and nothing of what was not looked at', async () => {
    const gate = Promise.withResolvers<void>()
    const arrived: string[] = []
    await using served = await startServer({
      limits: { pipelineDepth: 3 },
      plugins: [
        answering(async ({ path: asked }) => {
          arrived.push(asked)
          await gate.promise
          return HttpResponse.text(asked)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send([1, 2, 3, 4, 5].map(number => get(`/${number}`)).join(''))
    while (arrived.length < 3) await turns(1)
    const stopped = served.server.stop()
    gate.resolve()
    const bytes = await client.rest()
    expect(statuses(bytes)).toEqual([200, 200, 200])
    expect(bytes.match(/connection: close/g)).toHaveLength(1)
    client.end()
    await stopped
    expect(arrived).toEqual(['/1', '/2', '/3'])
  })

  test('waits for a stream that was handed over until the deadline, then cuts it', async () => {
    await using served = await startServer({
      plugins: [
        answering(() => HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.pipe(stream))),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    await client.response({ interim: true })
    const stopped = served.server.stop({ deadline: 200 })
    client.send('still here')
    expect(await client.until('here')).toBe('still here')
    await stopped
    await client.closed
    expect(served.ended[0]!.outcome).toMatchObject({
      result: 'upgraded',
      error: { message: 'the server stopped' },
    })
    expect(served.reports.map(({ code }) => code)).toEqual(['DRAIN_CUT'])
  })

  test('ends at once when a stream that was handed over ends by itself', async () => {
    await using served = await startServer({
      plugins: [
        answering(() => HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.pipe(stream))),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    await client.response({ interim: true })
    const stopped = served.server.stop({ deadline: 20_000 })
    client.end()
    await stopped
    expect(served.reports).toEqual([])
  })

  test('tells the owners of claimed streams, with the time that they have', async () => {
    const drain = vi.fn()
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'owning',
          server({ hooks }) {
            hooks.connection.tap({ name: 'own', stage: Connect.Protocol }, stream => ({
              name: 'owning',
              drain(deadline) {
                drain(deadline)
                stream.end('bye')
                stream.resume()
              },
              destroy: () => undefined,
            }))
          },
        })(),
      ],
    })
    await using client = await RawClient.connect(served.port)
    await turns(50)
    const stopped = served.server.stop({ deadline: 12_345 })
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect(drain.mock.calls).toEqual([[12_345]])
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
    expect(served.reports.map(({ code }) => code)).toEqual(['DRAIN_CUT'])
    expect(served.reports[0]!.message).toMatch(/^\d+ connections and 1 requests/)
    expect(served.ended.map(({ outcome }) => outcome.result)).toContain('aborted')
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

  test('of a server that never started runs nothing', async () => {
    const log: string[] = []
    const server = await createServer({ plugins: [phases(log)] })
    await server.stop()
    expect(log).toEqual([])
  })
})
