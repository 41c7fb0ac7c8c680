import { once } from 'node:events'
import { HttpResponse } from 'rawhttp'
import { randomSizes, testServer } from 'rawhttp/testing'
import { describe, expect, test } from 'vitest'
import { onServer } from '../../support/in-memory.ts'
import { chunked, get, post } from '../../support/messages.ts'
import { answering } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'

const hello = answering(async ({ path, body }) => HttpResponse.text(`${path} ${await body.text()}`))

describe('a server of the kit', () => {
  test('answers without a port, and remembers how', async () => {
    await using served = await testServer([hello])
    const answer = await served.inject({ url: '/a', method: 'POST', body: 'words' })
    expect(answer.text()).toBe('/a words')
    const [{ request, response, outcome }] = (await served.untilEnded(1)) as [(typeof served.ended)[0]]
    expect([request.path, response?.status, outcome.result]).toEqual(['/a', 200, 'sent'])
  })

  test('tells what was reported, also behind a reload', async () => {
    const tells = (message: string) =>
      onServer('tells', ({ hooks, log }) => hooks.start.tap('tells', () => log.warn(message)))
    await using served = await testServer({ plugins: [tells('one')] })
    await served.inject()
    await served.reload([tells('two')])
    expect((await served.untilReported('LOG')).message).toBe('one')
    expect(served.reports.map(({ message }) => message)).toEqual(['one', 'two'])
  })

  test('counts paths from its folder', async () => {
    let path = ''
    const looks = onServer('looks', ({ resolve }) => {
      path = resolve('./x')
    })
    await using _ = await testServer([looks], { dir: '/some/where' })
    expect(path).toBe('/some/where/x')
  })

  test('listens on a free port when it is asked to', async () => {
    await using served = await testServer([hello])
    const [address] = await served.server.listen()
    expect(await (await fetch(`${address!.url}/b`)).text()).toBe('/b ')
  })
})

describe('a connection in memory', () => {
  test('is one as any other', async () => {
    await using served = await testServer([hello])
    await using client = await served.connect()
    client.send(get('/a') + post('/b', 'words') + chunked('/c', ['in ', 'chunks']))
    const bodies = [await client.response(), await client.response(), await client.response()]
    expect(bodies.map(({ body }) => String(body))).toEqual(['/a ', '/b words', '/c in chunks'])
    await served.untilEnded(3)
    expect(served.server.stats).toMatchObject({ connections: 1, accepted: 1, requests: 0 })
    client.end()
    expect(await client.closed).toBe('end')
    await turns()
    expect(served.server.stats.connections).toBe(0)
    expect(served.server.stats.received).toBeGreaterThan(100)
  })

  test('comes from whom the test says, and starts the server', async () => {
    const who = answering(({ client }) => HttpResponse.json(client))
    let starts = 0
    const counts = onServer('counts', ({ hooks }) => hooks.start.tap('counts', () => void starts++))
    await using served = await testServer([counts, who])
    await using client = await served.connect({ client: { address: '192.0.2.7', port: 4711 } })
    client.send(get())
    expect(JSON.parse(String((await client.response()).body))).toEqual({ address: '192.0.2.7', port: 4711 })
    expect(starts).toBe(1)
  })

  test.each([
    ['one by one', 1],
    ['in pieces that look random', randomSizes(4, 5)],
  ])('brings the bytes %s, if the test says so', async (_, split) => {
    const sizes: number[] = []
    const message = get('/a')
    const sees = onServer('sees', ({ hooks }) =>
      hooks.connection.tap({ name: 'sees', stage: -300 }, stream => {
        stream.on('data', (chunk: Buffer) => void sizes.push(chunk.length))
      }),
    )
    await using served = await testServer([sees, hello])
    await using client = await served.connect({ split })
    client.send(message)
    expect(String((await client.response()).body)).toBe('/a ')
    expect(sizes.reduce((sum, size) => sum + size)).toBe(message.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5)
    expect(sizes.length).toBeGreaterThan(5)
  })

  test('a reset is told to the other end, both ways', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<Error>()
    const waits = answering(
      request =>
        new Promise((_, reject) => {
          if (request.path === '/reset') return request.connection!.reset()
          request.signal.addEventListener('abort', () => {
            resolve(request.signal.reason)
            reject(request.signal.reason)
          })
        }),
    )
    await using served = await testServer([waits])
    await using leaving = await served.connect()
    leaving.send(get('/wait'))
    await turns()
    leaving.reset()
    expect(await aborted).toBeInstanceOf(Error)
    await using left = await served.connect()
    left.send(get('/reset'))
    expect(await left.closed).toBe('reset')
  })

  test('holds up who writes more than the client reads', async () => {
    let made = 0
    const endless = answering(() =>
      HttpResponse.stream(
        (async function* () {
          for (;;) {
            made += 65_536
            yield new Uint8Array(65_536)
          }
        })(),
      ),
    )
    await using served = await testServer([endless])
    await using client = await served.connect()
    client.socket.pause()
    client.send(get())
    for (let before = -1; before !== made || made === 0; ) {
      before = made
      await turns(200)
    }
    expect(made).toBeLessThan(1_048_576)
    client.socket.resume()
    await once(client.socket, 'data')
    while (made < 2_097_152) await turns(1)
    client.reset()
    const [{ outcome }] = (await served.untilEnded(1)) as [(typeof served.ended)[0]]
    expect(outcome.result).toBe('aborted')
  })

  test('goes to the listener that the test says', async () => {
    const where = answering(({ connection }) => HttpResponse.text(connection!.listener))
    const listen = [{ port: 8_081 }, { port: 8_082 }]
    await using served = await testServer({ listen, plugins: [where] })
    await using client = await served.connect({ listener: 1 })
    client.send(get())
    expect(String((await client.response()).body)).toBe('127.0.0.1:8082')
    await expect(served.connect({ listener: 2 })).rejects.toThrow('the config has 2 listeners, no 2')
  })
})

test('sizes that look random are the same for one seed, and within their bounds', () => {
  const sizes = (seed: number, largest?: number) => Array.from({ length: 1_000 }, randomSizes(seed, largest))
  expect(sizes(1)).toEqual(sizes(1))
  expect(sizes(1)).not.toEqual(sizes(2))
  expect(new Set(sizes(3, 4))).toEqual(new Set([1, 2, 3, 4]))
})
