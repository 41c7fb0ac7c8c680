import { spawnSync } from 'node:child_process'
import { Duplex, PassThrough } from 'node:stream'
import { Connect, definePlugin, HttpResponse, type PluginServer } from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'
import { layer, owner, proxyLine, who } from '../support/layers.ts'
import { get, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const closing = get('/', 'Connection: close')

describe('a layer that reads before HTTP', () => {
  test('changes who the client is, and gives back the bytes that are not its own', async () => {
    await using served = await startServer({ plugins: [proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    const answer = JSON.parse((await client.response()).body.toString())
    expect(answer).toMatchObject({
      client: { address: '192.0.2.7', port: 4711 },
      via: ['proxy'],
      scheme: 'http',
    })
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('may take its time: the stream waits, byte by byte', async () => {
    await using served = await startServer({ plugins: [proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    await client.sendSplit(`FROM 192.0.2.7 4711\n${get()}`)
    expect((await client.response()).status).toBe(200)
  })

  test('sees a stream once: serve goes on with the taps behind it', async () => {
    const seen: string[] = []
    const noting = (name: string, stage: number) =>
      layer(name, stage, (_stream, { via }) => void seen.push(`${name} ${via}`))
    await using served = await startServer({
      plugins: [
        noting('last', Connect.Protocol),
        noting('middle', Connect.Filter),
        proxyLine,
        noting('first', -300),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    await client.response()
    expect(seen).toEqual(['first ', 'middle proxy', 'last proxy'])
  })

  test('several layers may claim a stream, one behind the other', async () => {
    const pass = (name: string, stage: number) =>
      layer(name, stage, (stream, info, server) => {
        setImmediate(() => server.serve(stream, { ...info, via: [...info.via, name] }))
        return owner(name)
      })
    await using served = await startServer({ plugins: [pass('two', 50), pass('one', 20), proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    expect(JSON.parse((await client.response()).body.toString()).via).toEqual(['proxy', 'one', 'two'])
  })

  test('may give on a stream of its own', async () => {
    await using served = await startServer({
      plugins: [
        layer('own-stream', Connect.Secure, (stream, info, server) => {
          const own = Duplex.from({ readable: stream, writable: stream } as never)
          setImmediate(() => server.serve(own, { ...info, via: ['own'] }))
          return owner('own-stream')
        }),
        who,
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect(JSON.parse((await client.response()).body.toString()).via).toEqual(['own'])
  })

  test('that never gives the stream back is cut after handshakeTimeout, and told', async () => {
    const destroy = vi.fn()
    await using served = await startServer({
      limits: { handshakeTimeout: 100 },
      plugins: [layer('sleeper', Connect.Secure, () => ({ ...owner('sleeper'), destroy }))],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(destroy).toHaveBeenCalledTimes(1)
    expect((await served.untilReported('HANDSHAKE_TIMEOUT')).message).toContain('sleeper did not finish')
    await served.server.stop()
  })

  test('handshakeTimeout ends when the stream is given back', async () => {
    await using served = await startServer({ limits: { handshakeTimeout: 60 }, plugins: [proxyLine, who] })
    await using client = await RawClient.connect(served.port)
    await using slow = await RawClient.connect(served.port)
    client.send(`FROM 192.0.2.7 4711\n${get()}`)
    await client.response()
    await slow.closed
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })

  test('who speaks another protocol keeps the stream: handshakeTimeout is for the layers before', async () => {
    await using served = await startServer({
      limits: { handshakeTimeout: 60 },
      plugins: [
        layer('other', Connect.Protocol, stream => {
          stream.on('data', (chunk: Buffer) => stream.write(`other ${chunk}`))
          return owner('other')
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    const begun = performance.now()
    while (performance.now() - begun < 150) await turns(10)
    client.send('hello')
    expect(await client.until('hello')).toBe('other hello')
  })

  test('whose client leaves meanwhile leaves nothing behind', async () => {
    await using served = await startServer({ plugins: [proxyLine] })
    const client = await RawClient.connect(served.port)
    client.send('FROM 192')
    await turns(50)
    client.reset()
    await served.server.stop()
    expect(served.reports).toEqual([])
    expect(served.server.generation.pins).toBe(0)
  })

  test('that throws when it is told is reported, and the others are told all the same', async () => {
    const drain = vi.fn()
    let count = 0
    await using served = await startServer({
      plugins: [
        layer('bad', Connect.Secure, stream => ({
          name: 'bad',
          drain() {
            drain()
            if (count++ === 0) throw new Error('no')
            stream.destroy()
          },
          destroy: () => undefined,
        })),
      ],
    })
    await using first = await RawClient.connect(served.port)
    await using second = await RawClient.connect(served.port)
    await turns(50)
    const stopped = served.server.stop()
    await second.closed
    expect(drain).toHaveBeenCalledTimes(2)
    expect(served.reports[0]).toMatchObject({ code: 'OWNER_FAILED', severity: 'error' })
    first.reset()
    await stopped
  })
})

describe('server.serve', () => {
  test('of a stream that nobody claimed is an error', async () => {
    let server!: PluginServer
    await using served = await startServer({
      plugins: [
        definePlugin({
          name: 'early',
          server: given => {
            server = given
          },
        })(),
        answering(({ connection }) => {
          server.serve(new PassThrough(), connection!)
          return HttpResponse.text('x')
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
    expect(served.reports[0]!.message).toMatch(/server\.serve: connection \d+ is not claimed by a plugin/)
  })

  test('within the tap itself is an error too: return the owner first', async () => {
    await using served = await startServer({
      plugins: [
        layer('hasty', Connect.Address, (stream, info, server) => {
          server.serve(stream, info)
          return owner('hasty')
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    await client.closed
    expect(served.reports[0]).toMatchObject({ plugin: 'hasty', hook: 'connection' })
  })

  test('twice is an error', async () => {
    const second = Promise.withResolvers<unknown>()
    await using served = await startServer({
      plugins: [
        layer('twice', Connect.Address, (stream, info, server) => {
          setImmediate(() => {
            server.serve(stream, info)
            try {
              server.serve(stream, info)
            } catch (error) {
              second.resolve(error)
            }
          })
          return owner('twice')
        }),
        who,
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(200)
    expect(String(await second.promise)).toContain('is not claimed')
  })

  test('of a connection that is gone destroys the stream', async () => {
    const given = Promise.withResolvers<() => Duplex>()
    await using served = await startServer({
      plugins: [
        layer('late', Connect.Address, (_stream, info, server) => {
          const inner = new PassThrough()
          given.resolve(() => {
            server.serve(inner, info)
            return inner
          })
          return owner('late')
        }),
      ],
    })
    const client = await RawClient.connect(served.port)
    const serve = await given.promise
    client.reset()
    await served.server.stop()
    expect(serve().destroyed).toBe(true)
  })
})

describe('a claimed stream and generations', () => {
  test('keeps its generation until it is given back, and no longer', async () => {
    const stopped: string[] = []
    const give: (() => void)[] = []
    const claiming = (name: string) =>
      definePlugin({
        name,
        server(server) {
          server.hooks.connection.tap({ name, stage: Connect.Address }, (stream, info) => {
            give.push(() => server.serve(stream, { ...info, via: [name] }))
            return owner(name)
          })
          server.hooks.stop.tap(name, (_server, reason) => void stopped.push(`${name} ${reason}`))
        },
      })()
    await using served = await startServer({ plugins: [claiming('old'), who] })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    while (give.length === 0) await turns(1)
    await served.server.reload({ listen: [{ port: 0 }], plugins: [claiming('new'), who] })
    await turns(20)
    expect(stopped).toEqual([])
    give[0]!()
    expect(JSON.parse((await client.response()).body.toString()).via).toEqual(['old'])
    await turns(20)
    expect(stopped).toEqual(['old reload'])
    client.send(get())
    expect((await client.response()).status).toBe(200)
  })
})

test('a client that has left before it was accepted is nobody, and gets nothing done', async () => {
  // It sends a request and resets while this process is busy: its address is gone by then, the request is not.
  const send = `
    const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1', () =>
      socket.write('GET /left HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n', () => socket.resetAndDestroy()))`
  const paths: string[] = []
  const plugins = [
    answering(({ path, client }) => HttpResponse.text(String(paths.push(path + client.address)))),
  ]
  await using served = await startServer({ plugins })
  expect(spawnSync(process.execPath, ['-e', send, String(served.port)], { timeout: 20_000 }).status).toBe(0)
  await exchangeBytes(served.port, closing)
  expect(paths).toEqual(['/127.0.0.1'])
})
