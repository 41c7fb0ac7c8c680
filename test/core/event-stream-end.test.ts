import { gunzipSync } from 'node:zlib'
import { definePlugin, HttpResponse, type Plugins, Transform } from 'rawhttp'
import { compression } from 'rawhttp/plugins/compression'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TestSource } from '../support/event-source.ts'
import { startForTest } from '../support/for-test.ts'
import { get } from '../support/messages.ts'
import { phases } from '../support/phases.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering } from '../support/server.ts'

const listen = [{ port: 0 }]
const hello = answering(({ path }) => HttpResponse.text(`new ${path}`))

const started = (...plugins: Plugins) => startForTest({ plugins })

/** Clients that have the first event of a stream each, and the sources behind them. */
async function listening(count: number, ...plugins: Plugins) {
  const sources: TestSource[] = []
  const events = answering(() =>
    HttpResponse.events(({ signal }) => {
      const source = new TestSource()
      sources.push(source)
      source.give({ id: '1', data: 'first' })
      return source.until(signal)
    }),
  )
  const served = await started(...plugins, events)
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(served.port)))
  for (const client of clients) onTestFinished(() => client[Symbol.asyncDispose]())
  for (const client of clients) client.send(get('/events'))
  await Promise.all(clients.map(client => client.until('id: 1\ndata: first\n\n\r\n')))
  return { served, clients, sources }
}

const ending = /^[0-9a-f]+\r\nretry: \d+\n\n\r\n0\r\n\r\n$/

describe('a reload', () => {
  test('ends every event stream whole, tells its source, and leaves the connection open for the new config', async () => {
    const log: string[] = []
    const { served, clients, sources } = await listening(20, phases(log))
    await served.server.reload({ listen, plugins: [hello] })
    const ends = await Promise.all(clients.map(client => client.until('0\r\n\r\n')))
    for (const end of ends) expect(end).toMatch(ending)
    expect(new Set(ends).size).toBeGreaterThan(10)
    await Promise.all(sources.map(({ ended }) => ended))
    const ended = await served.untilEnded(20)
    expect(new Set(ended.map(({ outcome }) => outcome.result))).toEqual(new Set(['sent']))
    for (const client of clients) client.send(get('/again'))
    const answers = await Promise.all(clients.map(client => client.response()))
    expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set(['new /again']))
    expect(log).toEqual(['start', 'stop reload'])
    expect(served.reports).toEqual([])
  })

  test('ends the stream of a source that hears of nothing, and the generation with it', async () => {
    const log: string[] = []
    const deaf: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    }
    const served = await started(
      phases(log),
      answering(() => HttpResponse.events(deaf)),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await client.until('\r\n\r\n')
    await served.server.reload({ listen, plugins: [hello] })
    expect(await client.until('0\r\n\r\n')).toMatch(ending)
    client.send(get('/again'))
    expect((await client.response()).body.toString()).toBe('new /again')
    expect(log).toEqual(['start', 'stop reload'])
  })

  test('reports a source that fails when it is told to end, and the stream ends whole', async () => {
    const served = await started(
      answering(() =>
        HttpResponse.events(async function* ({ signal }) {
          yield 'first'
          await new Promise(resolve => signal.addEventListener('abort', resolve))
          throw new Error('the database is gone')
        }),
      ),
    )
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await client.until('data: first\n\n\r\n')
    await served.server.reload({ listen, plugins: [hello] })
    expect(await client.until('0\r\n\r\n')).toMatch(ending)
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('sent')
    const { message } = await served.untilReported('TAP_FAILED')
    expect(message).toBe('plugin "test-answer", handle tap "test-answer" failed: the database is gone')
  })

  test('ends a compressed stream whole too', async () => {
    const source = new TestSource()
    const served = await started(
      compression(),
      answering(() => HttpResponse.events(({ signal }) => source.until(signal))),
    )
    await using client = await RawClient.connect(served.port)
    source.give('first')
    client.send(get('/', 'Accept-Encoding: gzip'))
    await source.pulled(2)
    await served.server.reload({ listen, plugins: [hello] })
    const { body } = await client.response()
    expect(gunzipSync(body).toString()).toMatch(/^data: first\n\nretry: \d+\n\n$/)
  })
})

describe('a stop', () => {
  test('ends every event stream whole and closes its connection, long before the deadline', async () => {
    const { served, clients, sources } = await listening(20)
    const stopped = served.server.stop({ deadline: 1_000_000 })
    const rests = await Promise.all(clients.map(client => client.rest()))
    for (const rest of rests) expect(rest).toMatch(ending)
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 'end'))
    for (const client of clients) client.end()
    await stopped
    await Promise.all(sources.map(({ ended }) => ended))
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(sources.map(() => 'sent'))
    expect(served.reports).toEqual([])
  })

  test.each([
    ['as it is', []],
    ['compressed', [compression()]],
  ])('ends a stream that a transform tap has put in the place of another answer, %s', async (_, behind) => {
    const begun = Promise.withResolvers<TestSource>()
    const instead = definePlugin({
      name: 'instead',
      site({ hooks }) {
        hooks.transform.tap({ name: 'instead', stage: Transform.Shape }, () =>
          HttpResponse.events(({ signal, lastEventId }) => {
            const source = new TestSource()
            begun.resolve(source)
            source.give(`seen ${lastEventId}`)
            return source.until(signal)
          }),
        )
      },
    })
    const served = await started(hello, instead(), ...behind)
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Accept-Encoding: gzip', 'Last-Event-ID: 7'))
    const source = await begun.promise
    await source.pulled(2)
    const stopped = served.server.stop({ deadline: 1_000_000 })
    const { body } = await client.response()
    const text = (behind.length === 0 ? body : gunzipSync(body)).toString()
    expect(text).toMatch(/^data: seen 7\n\nretry: \d+\n\n$/)
    client.end()
    await stopped
    await source.ended
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(['sent'])
    expect(served.reports).toEqual([])
  })

  test('cuts a client that does not read at its deadline, and lets the others end', async () => {
    const flood = async function* () {
      for (;;) yield 'x'.repeat(100_000)
    }
    const quiet = new TestSource()
    const served = await started(
      answering(({ path }) => HttpResponse.events(path === '/flood' ? flood() : quiet)),
    )
    await using slow = await RawClient.connect(served.port)
    slow.socket.pause()
    slow.send(get('/flood'))
    await using other = await RawClient.connect(served.port)
    other.send(get('/quiet'))
    await other.until('\r\n\r\n')
    const stopped = served.server.stop({ deadline: 300 })
    expect(await other.rest()).toMatch(ending)
    other.end()
    await stopped
    expect(served.reports).toMatchObject([
      {
        code: 'DRAIN_CUT',
        request: 'GET /flood',
        message: expect.stringMatching(/: its client was slow to take the answer \(site "default"\)$/),
      },
    ])
    const results = served.ended.map(({ request, outcome }) => [request.path, outcome.result])
    expect(results).toEqual([
      ['/quiet', 'sent'],
      ['/flood', 'aborted'],
    ])
  })

  test('is not held up by a stream that was injected', async () => {
    const source = new TestSource()
    const served = await started(answering(() => HttpResponse.events(source, { reconnectWithin: 0 })))
    source.give('a')
    const answer = served.server.inject('/')
    await source.pulled(2)
    await served.server.stop({ deadline: 1_000_000 })
    expect((await answer).text()).toBe('data: a\n\n')
  })
})

describe('through a router', () => {
  test('fetch reads events until a reload, and goes on behind the last one', async () => {
    const routes = () =>
      router({
        'GET /count': () =>
          HttpResponse.events(async function* ({ lastEventId, signal }) {
            const from = Number(lastEventId ?? 0) + 1
            for (let id = from; id < from + 2; id++) yield { id: String(id), data: `event ${id}` }
            await new Promise(resolve => signal.addEventListener('abort', resolve))
          }),
      })
    const served = await started(routes())
    const read = async (headers: Record<string, string>, until: string) => {
      const response = await fetch(`${served.url}/count`, { headers })
      expect(response.headers.get('content-type')).toBe('text/event-stream')
      let text = ''
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
        text += piece
        if (text.endsWith(until)) await served.server.reload({ listen, plugins: [routes()] })
      }
      return text
    }
    expect(await read({}, 'data: event 2\n\n')).toMatch(
      /^id: 1\ndata: event 1\n\nid: 2\ndata: event 2\n\nretry: \d+\n\n$/,
    )
    expect(await read({ 'last-event-id': '2' }, 'data: event 4\n\n')).toMatch(
      /^id: 3\ndata: event 3\n\nid: 4\ndata: event 4\n\nretry: \d+\n\n$/,
    )
  })
})
