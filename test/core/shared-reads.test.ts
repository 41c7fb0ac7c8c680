import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Connect, definePlugin, HttpResponse, type Plugins } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { Gates } from '../support/gates.ts'
import { chunked, get, post, request } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

/** Sees each accepted stream before HTTP is spoken on it. */
const looking = (name: string, look: (stream: Duplex) => void): Plugins[number] =>
  definePlugin({
    name,
    server({ hooks }) {
      hooks.connection.tap({ name, stage: Connect.Protocol - 1 }, stream => void look(stream))
    },
  })()

const echo = answering(async ({ path, body }) => HttpResponse.text(`${path} ${await body.text()}`))

/** The events of the streams of a server from now on. */
function events(): { readonly names: string[]; readonly plugin: Plugins[number] } {
  const names: string[] = []
  const plugin = looking('events', stream => {
    const { emit } = stream
    stream.emit = (name: string, ...args: unknown[]) => {
      names.push(name)
      return Reflect.apply(emit, stream, [name, ...args])
    }
  })
  return { names, plugin }
}

describe('a socket', () => {
  test('is read without an event, and so without memory of its own', async () => {
    const { names, plugin } = events()
    await using served = await startServer({ plugins: [plugin, echo] })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello'))
    expect((await client.response()).body.toString()).toBe('/ hello')
    expect(names).not.toContain('data')
  })

  test.each([
    [
      'of a Node that cannot',
      (stream: Duplex) => Object.assign((stream as Handled)._handle, { useUserBuffer: 0 }),
    ],
    ['that somebody else listens to', (stream: Duplex) => stream.on('data', () => undefined)],
    ['that somebody else reads', (stream: Duplex) => stream.on('readable', () => stream.read())],
  ])('%s is read by its events', async (_which, change) => {
    const { names, plugin } = events()
    await using served = await startServer({ plugins: [looking('change', change), plugin, echo] })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello'))
    expect((await client.response()).body.toString()).toBe('/ hello')
    expect(names).toContain('data')
  })

  test('gives first what it held before', async () => {
    const plugin = looking('holding', stream => stream.unshift(Buffer.from(get('/held'))))
    await using served = await startServer({ plugins: [plugin, echo] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/read'))
    expect((await client.response()).body.toString()).toBe('/held ')
    expect((await client.response()).body.toString()).toBe('/read ')
  })

  test('is read to its end also while nothing is taken from it', async () => {
    const gates = new Gates()
    await using served = await startServer({
      limits: { pipelineDepth: 1 },
      plugins: [answering(gates.answer)],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/1') + get('/2'))
    await gates.until(1)
    client.socket.end(get('/3'))
    for (const path of ['/1', '/2', '/3']) {
      gates.open(path)
      expect((await client.response()).body.toString()).toBe(path)
    }
    expect(await client.closed).toBe('end')
  })

  test('is read so again after a pause', async () => {
    const gates = new Gates()
    const { names, plugin } = events()
    await using served = await startServer({
      limits: { pipelineDepth: 1 },
      plugins: [plugin, answering(gates.answer)],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/1') + get('/2'))
    gates.open('/1')
    await client.response()
    gates.open('/2')
    await client.response()
    expect(names).toContain('pause')
    gates.open('/3')
    client.send(get('/3'))
    await client.response()
    expect(names).not.toContain('data')
  })

  test('is no longer read when its client sends on and on behind the last answer', async () => {
    let socket: Socket | undefined
    const plugin = looking('keeping', stream => {
      socket = stream as Socket
    })
    await using served = await startServer({ limits: { drainBytes: 1_000 }, plugins: [plugin, echo] })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: close'))
    await client.response()
    client.socket.on('error', () => undefined)
    client.send('x'.repeat(4_000_000))
    await new Promise(resolve => socket!.once('close', resolve))
    expect(socket!.bytesRead).toBeLessThan(400_000)
  })
})

type Handled = Duplex & { readonly _handle: object }

describe('what is kept of a read', () => {
  /** Has the shared memory written over by others. */
  async function others(port: number): Promise<void> {
    await using client = await RawClient.connect(port)
    client.send(post('/others', '#'.repeat(60_000)))
    await client.response()
  }

  test('stays as it was: a part of a head', async () => {
    await using served = await startServer({ plugins: [echo] })
    await using client = await RawClient.connect(served.port)
    const [first, second] = ['GET /a-path-of-some-len', 'gth HTTP/1.1\r\nHost: a\r\n\r\n'] as const
    client.send(first)
    await others(served.port)
    client.send(second)
    expect((await client.response()).body.toString()).toBe('/a-path-of-some-length ')
  })

  test('stays as it was: a part of a body', async () => {
    await using served = await startServer({ plugins: [echo] })
    await using client = await RawClient.connect(served.port)
    client.send(request('POST', '/', ['Content-Length: 10']))
    client.send('hello')
    await others(served.port)
    client.send('world')
    expect((await client.response()).body.toString()).toBe('/ helloworld')
  })

  const long = '!'.repeat(5_000)
  test.each([
    ['a body that nobody has read yet', post('/late', 'hello'), 'hello'],
    ['all pieces of one', chunked('/late', ['hello', ' ', 'w', 'orld', long]), `hello world${long}`],
  ])('stays as it was: %s', async (_what, message, body) => {
    const gates = new Gates()
    const plugin = answering(async request => {
      await gates.answer(request)
      return HttpResponse.text(await request.body.text())
    })
    await using served = await startServer({ plugins: [plugin] })
    gates.open('/others')
    await using client = await RawClient.connect(served.port)
    client.send(message)
    await gates.until(1)
    await others(served.port)
    gates.open('/late')
    expect((await client.response()).body.toString()).toBe(body)
  })

  test('stays as it was: requests whose turn has not come', async () => {
    const gates = new Gates()
    await using served = await startServer({
      limits: { pipelineDepth: 1 },
      plugins: [answering(gates.answer)],
    })
    gates.open('/others')
    await using client = await RawClient.connect(served.port)
    client.send(get('/1') + get('/2') + get('/3'))
    for (const path of ['/1', '/2', '/3']) {
      await expect.poll(() => gates.arrived, { interval: 5 }).toContain(path)
      await others(served.port)
      gates.open(path)
      expect((await client.response()).body.toString()).toBe(path)
    }
  })

  test('stays as it was: the bytes behind an upgrade, whose stream is one like any other', async () => {
    const taken = Promise.withResolvers<{ readonly stream: Duplex; readonly head: Buffer }>()
    const plugin = answering(({ path }) =>
      path === '/others'
        ? HttpResponse.text('x')
        : HttpResponse.upgrade({ protocol: 'echo' }, (stream, head) => taken.resolve({ stream, head })),
    )
    await using served = await startServer({ plugins: [plugin] })
    await using client = await RawClient.connect(served.port)
    client.send(`${get('/', 'Connection: Upgrade', 'Upgrade: echo')}behind`)
    const { stream, head } = await taken.promise
    await others(served.port)
    expect(head.toString()).toBe('behind')
    const pieces: Buffer[] = []
    const came = (count: number) =>
      expect.poll(() => Buffer.concat(pieces).length, { interval: 5 }).toBe(count)
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    client.send('hello')
    await came(5)
    await others(served.port)
    expect(Buffer.concat(pieces).toString()).toBe('hello')
    expect(stream).toBeInstanceOf(Socket)
    stream.pause()
    client.send('world')
    stream.resume()
    await came(10)
    const ended = new Promise(resolve => stream.once('end', resolve))
    client.socket.end()
    await ended
    expect(Buffer.concat(pieces).toString()).toBe('helloworld')
    stream.end()
  })
})

describe('a stream that was taken over', () => {
  /** A server, a client that speaks on a stream that was taken over, and that stream. */
  async function upgraded() {
    const taken = Promise.withResolvers<Duplex>()
    const served = await startServer({
      plugins: [answering(() => HttpResponse.upgrade({ protocol: 'echo' }, stream => taken.resolve(stream)))],
    })
    const client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: Upgrade', 'Upgrade: echo'))
    const stream = await taken.promise
    const end = async () => {
      stream.destroy()
      await client[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    }
    return { client, stream, [Symbol.asyncDispose]: end }
  }

  test('tells while it is paused that its client is gone', async () => {
    await using both = await upgraded()
    const { client, stream } = both
    stream.pause()
    const closed = new Promise(resolve => stream.once('close', resolve))
    client.socket.resetAndDestroy()
    await closed
    expect(stream.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  test('holds no more than any other when it is read byte by byte', async () => {
    await using both = await upgraded()
    const { client, stream } = both
    stream.on('readable', () => undefined)
    client.send('x'.repeat(4_000_000))
    for (let reads = 0; reads < 100; reads++) {
      stream.read(1)
      await turns(2)
    }
    expect(stream.readableLength).toBeLessThan(300_000)
  })
})
