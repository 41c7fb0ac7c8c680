import { HttpResponse } from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectForTest, startForTest } from '../../support/for-test.ts'
import { Gates } from '../../support/gates.ts'
import { get, post, request, statuses } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, type TestServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'
import { steady, turns } from '../../support/turns.ts'
import { received } from './received.ts'

// What a client sees of a stop, by what its connection is doing. No stop here reaches its deadline, so each ends
// because nothing is left, and nothing is reported.
const AMPLE = { deadline: 1_000_000 }

const path = answering(({ path: asked }) => HttpResponse.text(asked))

/** The path of a socket in a folder of its own. */
const socketPath = async () => `${await tempFile('x', '')}.sock`

/** Ends the client's side, as one does that has seen the server's end, and waits for the stop. */
async function politely(served: TestServer, client: RawClient, stopped: Promise<void>): Promise<void> {
  expect(await client.closed).toBe('end')
  client.end()
  await stopped
  expect(served.reports).toEqual([])
}

describe('a connection without a request', () => {
  test('that was just accepted ends at once, without a byte', async () => {
    const served = await startForTest({ plugins: [path] })
    const client = await connectForTest(served)
    while (served.server.stats.connections === 0) await turns(1)
    const stopped = served.server.stop(AMPLE)
    expect(await client.rest()).toBe('')
    await politely(served, client, stopped)
  })

  test('that is kept alive ends at once, behind the answers before', async () => {
    const served = await startForTest({ plugins: [path] })
    const client = await connectForTest(served)
    client.send(get('/before'))
    expect((await client.response()).body.toString()).toBe('/before')
    const stopped = served.server.stop(AMPLE)
    expect(await client.rest()).toBe('')
    await politely(served, client, stopped)
  })

  test('whose client never ends its own side holds the stop no longer than its answer may take to be read', async () => {
    const served = await startForTest({ plugins: [path] })
    const client = await connectForTest(served)
    client.send(get())
    await client.response()
    const stopped = served.server.stop(AMPLE)
    expect(await client.closed).toBe('end')
    await stopped
    expect(served.reports).toEqual([])
  })

  test('that was answered for the last time and waits for the end of its client is left to it', async () => {
    const served = await startForTest({ plugins: [path] })
    const client = await connectForTest(served)
    client.send(get('/last', 'Connection: close'))
    expect((await client.response()).body.toString()).toBe('/last')
    const stopped = served.server.stop(AMPLE)
    await politely(served, client, stopped)
  })

  test('on a Unix socket ends at once too', async () => {
    const socket = await socketPath()
    const served = await startForTest({ listen: [{ port: 0 }, { path: socket }], plugins: [path] })
    const client = await RawClient.open({ path: socket })
    onTestFinished(() => client[Symbol.asyncDispose]())
    client.send(get('/unix'))
    expect((await client.response()).body.toString()).toBe('/unix')
    const stopped = served.server.stop(AMPLE)
    await politely(served, client, stopped)
    await expect(RawClient.open({ path: socket })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('beyond maxConnections was turned away before, and takes no part', async () => {
    const served = await startForTest({ limits: { maxConnections: 1 }, plugins: [path] })
    const client = await connectForTest(served)
    const refused = await connectForTest(served)
    await refused.closed
    const stopped = served.server.stop(AMPLE)
    expect(await client.rest()).toBe('')
    client.end()
    await stopped
    expect(served.reports.map(({ code }) => code)).toEqual(['CONNECTION_LIMIT'])
  })
})

describe('a request on its way in', () => {
  test('whose head has come in part is awaited and answered, and nothing behind it', async () => {
    const served = await startForTest({ plugins: [path] })
    const client = await connectForTest(served)
    const part = 'GET /half HTTP/1.1\r\nHo'
    client.send(part)
    await received(served, part)
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    client.send(`st: a\r\n\r\n${get('/never')}`)
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['/half', 'close'])
    expect(await client.rest()).toBe('')
    await politely(served, client, stopped)
    expect(served.ended.map(({ request: asked }) => asked.path)).toEqual(['/half'])
  })

  test('whose body the handler reads is awaited', async () => {
    const served = await startForTest({
      plugins: [answering(async ({ body }) => HttpResponse.text(await body.text()))],
    })
    const client = await connectForTest(served)
    const part = post('/', 'hello').slice(0, -2)
    client.send(part)
    await received(served, part)
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    client.send('lo')
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['hello', 'close'])
    await politely(served, client, stopped)
  })

  test('whose client waits for 100 Continue gets it when the handler comes to read', async () => {
    const arrived = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const reads = answering(async ({ body }) => {
      arrived.resolve()
      await gate.promise
      return HttpResponse.text(await body.text())
    })
    const served = await startForTest({ plugins: [reads] })
    const client = await connectForTest(served)
    client.send(request('POST', '/', ['Content-Length: 5', 'Expect: 100-continue']))
    await arrived.promise
    const stopped = served.server.stop(AMPLE)
    gate.resolve()
    expect((await client.response({ interim: true })).status).toBe(100)
    client.send('hello')
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['hello', 'close'])
    await politely(served, client, stopped)
  })

  test('whose client waits for 100 Continue gets its answer when the handler does not read', async () => {
    const gates = new Gates()
    const served = await startForTest({ plugins: [answering(gates.answer)] })
    const client = await connectForTest(served)
    client.send(request('POST', '/unread', ['Content-Length: 5', 'Expect: 100-continue']))
    await gates.until(1)
    const stopped = served.server.stop(AMPLE)
    gates.open('/unread')
    expect(statuses(await client.rest())).toEqual([200])
    await politely(served, client, stopped)
  })

  test('whose answer is out already is read no longer than its rest may take', async () => {
    const served = await startForTest({ plugins: [path] })
    const client = await connectForTest(served)
    client.send(post('/early', 'hello').slice(0, -2))
    expect((await client.response()).body.toString()).toBe('/early')
    const stopped = served.server.stop(AMPLE)
    client.send('lo')
    await politely(served, client, stopped)
  })
})

describe('a request at work', () => {
  test('is answered, and its answer says that the connection ends', async () => {
    const gates = new Gates()
    const served = await startForTest({ plugins: [answering(gates.answer)] })
    const client = await connectForTest(served)
    client.send(get('/slow'))
    await gates.until(1)
    const stopped = served.server.stop(AMPLE)
    await expect(RawClient.connect(served.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    gates.open('/slow')
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['/slow', 'close'])
    await politely(served, client, stopped)
  })

  test('has every request answered that came with it, and only the last answer says the end', async () => {
    const gates = new Gates()
    const served = await startForTest({ limits: { pipelineDepth: 3 }, plugins: [answering(gates.answer)] })
    const client = await connectForTest(served)
    client.send([1, 2, 3, 4, 5].map(number => get(`/${number}`)).join(''))
    await gates.until(3)
    const stopped = served.server.stop(AMPLE)
    for (const number of [3, 2, 1]) gates.open(`/${number}`)
    const answers = [await client.response(), await client.response(), await client.response()]
    expect(answers.map(({ body }) => body.toString())).toEqual(['/1', '/2', '/3'])
    expect(answers.map(answer => answer.field('connection'))).toEqual([undefined, undefined, 'close'])
    expect(await client.rest()).toBe('')
    await politely(served, client, stopped)
    expect(gates.arrived).toEqual(['/1', '/2', '/3'])
  })

  test('on a Unix socket is answered', async () => {
    const socket = await socketPath()
    const gates = new Gates()
    const served = await startForTest({
      listen: [{ port: 0 }, { path: socket }],
      plugins: [answering(gates.answer)],
    })
    const client = await RawClient.open({ path: socket })
    onTestFinished(() => client[Symbol.asyncDispose]())
    client.send(get('/unix'))
    await gates.until(1)
    const stopped = served.server.stop(AMPLE)
    gates.open('/unix')
    expect((await client.response()).field('connection')).toBe('close')
    await politely(served, client, stopped)
  })
})

describe('an answer on its way out', () => {
  test('goes out whole while its source goes on', async () => {
    const gate = Promise.withResolvers<void>()
    const source = async function* () {
      yield 'one'
      await gate.promise
      yield 'two'
    }
    const served = await startForTest({ plugins: [answering(() => HttpResponse.stream(source()))] })
    const client = await connectForTest(served)
    client.send(get())
    await client.until('one')
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    gate.resolve()
    expect(await client.rest()).toBe('\r\n3\r\ntwo\r\n0\r\n\r\n')
    await politely(served, client, stopped)
    expect(served.ended[0]!.outcome.result).toBe('sent')
  })

  test('goes out whole to a client that takes its time', async () => {
    const body = Buffer.alloc(8_000_000, 'x')
    const served = await startForTest({ plugins: [answering(() => HttpResponse.bytes(body))] })
    const client = await connectForTest(served)
    client.socket.pause()
    client.send(get())
    await steady(() => served.server.stats.sent)
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    expect(served.ended).toEqual([])
    client.socket.resume()
    const response = await client.response()
    expect([response.body.equals(body), response.field('connection')]).toEqual([true, undefined])
    await politely(served, client, stopped)
  })
})
