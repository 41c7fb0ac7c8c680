import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { who } from '../support/layers.ts'
import { get, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const closing = get('/', 'Connection: close')

describe('the number of connections', () => {
  test('maxConnections turns away one more, and takes it when another has gone', async () => {
    await using served = await startServer({ limits: { maxConnections: 2 }, plugins: [who] })
    await using first = await RawClient.connect(served.port)
    await using second = await RawClient.connect(served.port)
    second.send(get())
    await second.response()
    await using third = await RawClient.connect(served.port)
    await third.closed
    const report = await served.untilReported('CONNECTION_LIMIT')
    expect(report.message).toContain('limits.maxConnections')
    first.end()
    await first.closed
    await turns(50)
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([200])
  })

  test('connectionsPerClient counts each address for itself', async () => {
    await using served = await startServer({ limits: { connectionsPerClient: 1 }, plugins: [who] })
    await using one = await connectFrom('127.0.0.1', served.port)
    await using other = await connectFrom('127.0.0.2', served.port)
    for (const client of [one, other]) {
      client.send(get())
      expect((await client.response()).status).toBe(200)
    }
    await using more = await RawClient.connect(served.port)
    await more.closed
    expect((await served.untilReported('CONNECTION_LIMIT')).message).toContain('limits.connectionsPerClient')
  })

  test('a stream that was handed over counts too', async () => {
    await using served = await startServer({
      limits: { maxConnections: 1 },
      plugins: [
        answering(() => HttpResponse.upgrade({ protocol: 'echo' }, stream => void stream.pipe(stream))),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    await client.response({ interim: true })
    await using second = await RawClient.connect(served.port)
    await second.closed
    await served.untilReported('CONNECTION_LIMIT')
  })

  const connectFrom = (localAddress: string, port: number): Promise<RawClient> =>
    RawClient.open({ port, host: '127.0.0.1', localAddress })
})
