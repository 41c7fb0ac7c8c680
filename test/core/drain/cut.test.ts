import { Connect, type Diagnostic, HttpResponse, type Plugins } from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectForTest, startForTest } from '../../support/for-test.ts'
import { Gates } from '../../support/gates.ts'
import { layer, owner } from '../../support/layers.ts'
import { get, post, request } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { steady, turns } from '../../support/turns.ts'
import { received } from './received.ts'

const AMPLE = { deadline: 1_000_000 }
const AT_WORK = 'plugin "test-answer", handle tap "test-answer" was at work'

const started = (...plugins: Plugins) => startForTest({ plugins })

/** Stops politely, sees that nothing ends by itself, and forces. Gives what was reported. */
async function forced({ server, reports }: TestServer): Promise<readonly Diagnostic[]> {
  const stopped = server.stop(AMPLE)
  await turns(20)
  expect(reports).toEqual([])
  await server.stop({ deadline: 0 })
  await stopped
  return reports
}

const addressOf = ({ socket }: RawClient) => `127.0.0.1:${socket.localPort}`

/** What a report says of a client, whatever its age. */
function said(reports: readonly Diagnostic[]): unknown[] {
  return reports.map(({ code, severity, message, request: asked, site }) => {
    expect([code, severity]).toEqual(['DRAIN_CUT', 'warning'])
    return [message.replace(/after \d+\.\d s/, 'after N s'), asked, site]
  })
}

const cut = (client: RawClient, doing: string, asked?: string) => {
  const where = asked === undefined ? '' : ' (site "default")'
  const site = asked === undefined ? undefined : 'default'
  return [`the stop cut ${addressOf(client)} after N s: ${doing}${where}`, asked, site]
}

describe('what a stop cuts is named, with its client, request, site, age and what it was doing:', () => {
  test('a head that has come in part', async () => {
    const served = await started()
    const client = await connectForTest(served)
    client.send('GET / HTTP/1.1\r\nHo')
    await received(served, 'GET / HTTP/1.1\r\nHo')
    expect(said(await forced(served))).toEqual([cut(client, 'its head had come in part')])
    expect(await client.rest()).toBe('')
  })

  test('a request whose handler is at work', async () => {
    const gates = new Gates()
    const served = await started(answering(gates.answer))
    const client = await connectForTest(served)
    client.send(get('/slow?secret'))
    await gates.until(1)
    expect(said(await forced(served))).toEqual([cut(client, AT_WORK, 'GET /slow?secret')])
    expect(await client.rest()).toBe('')
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(['aborted'])
  })

  test('a request whose body is read', async () => {
    const served = await started(answering(async ({ body }) => HttpResponse.text(await body.text())))
    const client = await connectForTest(served)
    const part = post('/upload', 'hello').slice(0, -2)
    client.send(part)
    await received(served, part)
    expect(said(await forced(served))).toEqual([cut(client, 'its body was on its way', 'POST /upload')])
    expect(await client.rest()).toBe('')
  })

  test('a request whose client was told to continue', async () => {
    const served = await started(answering(async ({ body }) => HttpResponse.text(await body.text())))
    const client = await connectForTest(served)
    client.send(request('PUT', '/expect', ['Content-Length: 5', 'Expect: 100-continue']))
    await client.response({ interim: true })
    expect(said(await forced(served))).toEqual([cut(client, 'its body was on its way', 'PUT /expect')])
  })

  test('an answer whose source is not done', async () => {
    const source = async function* () {
      yield 'one'
      await new Promise(() => undefined)
    }
    const served = await started(answering(() => HttpResponse.stream(source())))
    const client = await connectForTest(served)
    client.send(get('/stream'))
    await client.until('one')
    expect(said(await forced(served))).toEqual([cut(client, 'its answer was not complete', 'GET /stream')])
    expect(await client.rest()).toBe('\r\n')
    expect(await client.closed).toBe('end')
  })

  test.each([
    ['kept alive', 'Connection: keep-alive'],
    ['that ends with it', 'Connection: close'],
  ])('an answer that the client does not take, on a connection %s', async (_, field) => {
    const served = await started(answering(() => HttpResponse.bytes(Buffer.alloc(20_000_000))))
    const client = await connectForTest(served)
    client.socket.pause()
    client.send(get('/large', field))
    await steady(() => served.server.stats.sent)
    expect(said(await forced(served))).toEqual([
      cut(client, 'its client was slow to take the answer', 'GET /large'),
    ])
    expect(served.ended.map(({ outcome }) => outcome.result)).toEqual(['aborted'])
  })

  test('an answer whose end only that of the connection shows, which then breaks off', async () => {
    const source = async function* () {
      yield 'one'
      await new Promise(() => undefined)
    }
    const served = await started(answering(() => HttpResponse.stream(source())))
    const client = await connectForTest(served)
    client.send('GET /old HTTP/1.0\r\n\r\n')
    await client.until('one')
    expect(said(await forced(served))).toEqual([cut(client, 'its answer was not complete', 'GET /old')])
    expect(await client.closed).toBe('reset')
  })

  test('such an answer is reset too when all that is missing was to be taken by the client', async () => {
    const source = async function* () {
      for (let piece = 0; piece < 20; piece++) yield Buffer.alloc(1_000_000)
    }
    const served = await started(answering(() => HttpResponse.stream(source())))
    const client = await connectForTest(served)
    client.socket.pause()
    client.send('GET /old HTTP/1.0\r\n\r\n')
    await steady(() => served.server.stats.sent)
    expect(said(await forced(served))).toEqual([
      cut(client, 'its client was slow to take the answer', 'GET /old'),
    ])
    client.socket.resume()
    expect(await client.closed).toBe('reset')
  })

  test('requests behind the one that holds them up', async () => {
    const gates = new Gates()
    const served = await started(
      answering(asked => (asked.path === '/1' ? gates.answer(asked) : HttpResponse.text('quick'))),
    )
    const client = await connectForTest(served)
    client.send(get('/1') + get('/2') + get('/3', 'Connection: upgrade', 'Upgrade: echo'))
    await gates.until(1)
    expect(said(await forced(served))).toEqual([
      cut(client, AT_WORK, 'GET /1'),
      cut(client, 'it waited for the answers before it', 'GET /2'),
      [
        `the stop cut ${addressOf(client)} after N s: it waited for the answers before it`,
        'GET /3',
        undefined,
      ],
    ])
  })

  test.each([
    ['as the kernel hands it over', false],
    ['raw', true],
  ])('a stream that was upgraded, %s', async (_, raw) => {
    const served = await started(
      answering(() =>
        HttpResponse.upgrade({ protocol: 'echo', raw }, stream => {
          stream.write('hello')
          stream.pipe(stream)
        }),
      ),
    )
    const client = await connectForTest(served)
    client.send(get('/socket', 'Connection: upgrade', 'Upgrade: echo'))
    await client.until('hello')
    expect(said(await forced(served))).toEqual([cut(client, 'its stream was upgraded', 'GET /socket')])
    expect(await client.closed).toBe('end')
  })

  test('a stream that was upgraded and has an owner, who was told before', async () => {
    const told: string[] = []
    const served = await started(
      answering(() =>
        HttpResponse.upgrade({ protocol: 'chat' }, stream => {
          stream.resume()
          return { name: 'chat', drain: () => told.push('drain'), destroy: () => told.push('destroy') }
        }),
      ),
    )
    const client = await connectForTest(served)
    client.send(get('/chat', 'Connection: upgrade', 'Upgrade: chat'))
    await client.response({ interim: true })
    expect(said(await forced(served))).toEqual([
      cut(client, 'its stream was upgraded, for "chat"', 'GET /chat'),
    ])
    expect(told).toEqual(['drain', 'destroy'])
  })

  test('a stream that a plugin has claimed', async () => {
    const served = await started(layer('h9', Connect.Protocol, () => owner('h9')))
    const client = await connectForTest(served)
    while (served.server.stats.connections === 0) await turns(1)
    expect(said(await forced(served))).toEqual([cut(client, '"h9" had it')])
  })

  test('a handler whose client has left', async () => {
    const gates = new Gates()
    const served = await started(answering(gates.answer))
    const client = await connectForTest(served)
    client.send(get('/left'))
    await gates.until(1)
    client.reset()
    while (served.server.stats.connections > 0) await turns(1)
    expect(said(await forced(served))).toEqual([
      [
        expect.stringMatching(/127\.0\.0\.1:\d+ after N s: its client had left, plugin /),
        'GET /left',
        'default',
      ],
    ])
  })

  test('a request that came without a connection', async () => {
    const gates = new Gates()
    const served = await started(answering(gates.answer))
    const answer = served.server.inject('/injected').catch((error: Error) => error.message)
    await gates.until(1)
    expect(said(await forced(served))).toEqual([
      [
        `the stop cut a request without a connection after N s: ${AT_WORK} (site "default")`,
        'GET /injected',
        'default',
      ],
    ])
    expect(await answer).toBe('the server stopped')
  })

  test('a client of a Unix socket', async () => {
    const path = `${await tempFile('x', '')}.sock`
    const served = await startServer({ listen: [{ port: 0 }, { path }] })
    onTestFinished(() => served[Symbol.asyncDispose]())
    const client = await RawClient.open({ path })
    onTestFinished(() => client[Symbol.asyncDispose]())
    client.send('GET /')
    await received(served, 'GET /')
    const [[message]] = said(await forced(served)) as [[string]]
    expect(message).toBe(`the stop cut a client of ${path} after N s: its head had come in part`)
  })

  test('a hundred one by one, and how many more', async () => {
    const gates = new Gates()
    const served = await startServer({ limits: { pipelineDepth: 200 }, plugins: [answering(gates.answer)] })
    onTestFinished(() => served[Symbol.asyncDispose]())
    const client = await connectForTest(served)
    client.send(Array.from({ length: 103 }, (_, at) => get(`/${at}`)).join(''))
    await gates.until(103)
    const reports = said(await forced(served))
    expect(reports).toHaveLength(101)
    expect(reports[99]).toEqual(cut(client, AT_WORK, 'GET /99'))
    expect(reports[100]).toEqual(['the stop cut 3 more, which are not named', undefined, undefined])
  })
})

describe('the deadline', () => {
  test('cuts what is left, and nothing else is named', async () => {
    const gates = new Gates()
    const served = await started(answering(gates.answer))
    const [busy, idle, done] = [
      await connectForTest(served),
      await connectForTest(served),
      await connectForTest(served),
    ]
    done.send(get('/done', 'Connection: close'))
    gates.open('/done')
    await done.response()
    busy.send(get('/busy'))
    await gates.until(2)
    await served.server.stop({ deadline: 100 })
    expect(said(served.reports)).toEqual([cut(busy, AT_WORK, 'GET /busy')])
    expect(await Promise.all([busy, idle, done].map(({ closed }) => closed))).toEqual(['end', 'end', 'end'])
  })

  test('names nobody when only idle connections were left, whose clients have not ended their side', async () => {
    const served = await started(answering(() => HttpResponse.text('x')))
    const [fresh, used] = [await connectForTest(served), await connectForTest(served)]
    used.send(get())
    await used.response()
    while (served.server.stats.connections < 2) await turns(1)
    await served.server.stop({ deadline: 100 })
    expect(served.reports).toEqual([])
    expect(await Promise.all([fresh.closed, used.closed])).toEqual(['end', 'end'])
  })
})
