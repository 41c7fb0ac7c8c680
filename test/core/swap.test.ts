import { createServer, definePlugin, Handle, HttpResponse, type Outcome, type Server } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../core/config/resolve.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
const word = (text: string) => answering(() => HttpResponse.text(text))
const source = { file: null, dir: '/' }

async function prepared(server: Server, config: object) {
  return server.prepare(await server.build(await resolveConfig(config, source)))
}

async function asked(client: RawClient): Promise<string> {
  client.send(get)
  return String((await client.response()).body)
}

describe('a generation that is prepared', () => {
  test('changes nothing until it is committed', async () => {
    await using served = await startServer({ plugins: [word('one')] })
    await using client = await RawClient.connect(served.port)
    const next = await prepared(served.server, { listen: [{ port: 0 }], plugins: [word('two')] })
    expect(await asked(client)).toBe('one')
    next.commit()
    expect(await asked(client)).toBe('two')
  })

  test('has listeners on which clients wait for it', async () => {
    const path = await tempFile('keep', '')
    await using served = await startServer({ plugins: [word('one')] })
    const listen = [{ port: 0 }, { path: `${path}.sock` }]
    const next = await prepared(served.server, { listen, plugins: [word('two')] })
    await using early = await RawClient.open({ path: `${path}.sock` })
    await using gone = await RawClient.open({ path: `${path}.sock` })
    early.send(get)
    gone.socket.destroy()
    // The old generation answers meanwhile, elsewhere.
    await using other = await RawClient.connect(served.port)
    expect(await asked(other)).toBe('one')
    expect(early.received).toBe('')
    expect(next.commit()).toEqual({ opened: [{ url: `unix:${path}.sock` }], closed: [] })
    expect(String((await early.response()).body)).toBe('two')
  })

  test('that is abandoned is stopped, its listeners are closed, and who waits there is turned away', async () => {
    const log: string[] = []
    const tells = definePlugin({
      name: 'tells',
      server({ hooks }) {
        hooks.stop.tapPromise('stop', async (_server, reason) => void log.push(reason))
      },
    })
    const path = await tempFile('keep', '')
    await using served = await startServer({ plugins: [word('one')] })
    const next = await prepared(served.server, {
      listen: [{ port: 0 }, { path: `${path}.sock` }],
      plugins: [tells(), word('two')],
    })
    await using early = await RawClient.open({ path: `${path}.sock` })
    await next.abandon()
    await early.closed
    expect(log).toEqual(['failed'])
    await expect(RawClient.open({ path: `${path}.sock` })).rejects.toThrow()
    await using client = await RawClient.connect(served.port)
    expect(await asked(client)).toBe('one')
  })

  test('cannot take over from one that came in between', async () => {
    await using served = await startServer({ plugins: [word('one')] })
    const config = (text: string) => ({ listen: [{ port: 0 }], plugins: [word(text)] })
    const [two, three] = [
      await prepared(served.server, config('two')),
      await prepared(served.server, config('three')),
    ]
    three.commit()
    expect(() => two.commit()).toThrow('another reload came in between')
    await two.abandon()
    await using client = await RawClient.connect(served.port)
    expect(await asked(client)).toBe('three')
  })

  test('cannot take over from a server that stops', async () => {
    const served = await startServer({ plugins: [word('one')] })
    const next = await prepared(served.server, { plugins: [word('two')] })
    await served.server.stop()
    expect(() => next.commit()).toThrow('the server was stopped')
    await next.abandon()
  })
})

test('a port that the server has itself on another address is refused, and it is said which', async () => {
  const { port, [Symbol.asyncDispose]: close } = await startServer({})
  await close()
  await using served = await startServer({ listen: [{ port }], plugins: [word('one')] })
  const moved = served.server.reload({ listen: [{ port, host: '0.0.0.0' }], plugins: [word('two')] })
  await expect(moved).rejects.toMatchObject({ code: 'EADDRINUSE', heldBy: `127.0.0.1:${port}` })
  await using client = await RawClient.connect(port)
  expect(await asked(client)).toBe('one')
})

test('two that listen on any free port each stay what they are', async () => {
  const config = (text: string) => ({
    listen: [{ port: 0 }, { port: 0, limits: { requestsPerConnection: 1 } }],
    plugins: [word(text)],
  })
  const server = await createServer(config('one'))
  const ports = (await server.listen()).map(({ url }) => Number(new URL(url).port))
  await server.reload(config('two'))
  const answers = ports.map(async port => {
    await using client = await RawClient.connect(port)
    client.send(get)
    const response = await client.response()
    return [String(response.body), response.field('connection')]
  })
  expect(await Promise.all(answers)).toEqual([
    ['two', undefined],
    ['two', 'close'],
  ])
  await server.stop({ deadline: 0 })
})

describe('reload.oldStreams', () => {
  const upgrade = 'GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'

  /** A plugin whose answers have no end, and which tells how they ended. */
  function endless(log: string[], outcomes: Outcome[]) {
    return definePlugin({
      name: 'endless',
      server({ hooks }) {
        hooks.stop.tapPromise('stop', async (_server, reason) => void log.push(`stopped: ${reason}`))
      },
      site(site) {
        site.hooks.handle.tapPromise({ name: 'answer', stage: Handle.Route }, async ({ path }) => {
          if (path === '/upgrade') return HttpResponse.upgrade({ protocol: 'x' }, () => undefined)
          return HttpResponse.stream(stream(log))
        })
        site.hooks.done.tap('done', (_request, _response, outcome) => void outcomes.push(outcome))
      },
    })()
  }

  async function* stream(log: string[]) {
    try {
      yield 'begun'
      await new Promise(() => undefined)
    } finally {
      log.push('body ended')
    }
  }

  const until = (served: TestServer) => served.untilReported('OLD_STREAMS_CUT')

  test.each([
    // What is missing behind a chunked body shows; who took a stream over can only be told by a reset.
    ['a body', get, 'begun\r\n', 'timeout', 'end'],
    ['a stream that was taken over', upgrade, '\r\n\r\n', 'upgraded', 'reset'],
  ])('cuts what still keeps the old generation: %s', async (_, request, sign, result, how) => {
    const [log, outcomes]: [string[], Outcome[]] = [[], []]
    await using served = await startServer({ plugins: [endless(log, outcomes)] })
    await using client = await RawClient.connect(served.port)
    client.send(request)
    await client.until(sign)
    // The old generation reports what befalls it.
    await served.server.reload({ listen: [{ port: 0 }], plugins: [word('two')], reload: { oldStreams: 20 } })
    expect((await until(served)).message).toBe(
      '1 answers that began before a reload were cut: reload.oldStreams has passed',
    )
    expect([await client.closed, client.received]).toEqual([how, ''])
    expect(outcomes.map(outcome => outcome.result)).toEqual([result])
    await served.server.stop()
    expect(log.at(-1)).toBe('stopped: reload')
  })

  test('cuts nothing of the new generation', async () => {
    const [log, outcomes]: [string[], Outcome[]] = [[], []]
    await using served = await startServer({ plugins: [endless(log, outcomes)] })
    await using old = await RawClient.connect(served.port)
    await using kept = await RawClient.connect(served.port)
    old.send(get)
    await old.until('begun')
    await served.server.reload({
      listen: [{ port: 0 }],
      plugins: [endless([], [])],
      reload: { oldStreams: 20 },
    })
    kept.send(get)
    await kept.until('begun')
    await until(served)
    await old.closed
    await using another = await RawClient.connect(served.port)
    another.send(get)
    await another.until('begun')
    expect(kept.socket.destroyed).toBe(false)
  })
})
