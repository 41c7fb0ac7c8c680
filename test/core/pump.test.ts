import { Readable } from 'node:stream'
import { HttpResponse, type Sink } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { Pump, type PumpHost } from '../../core/pump.ts'
import type { ResponseBody } from '../../core/response-body.ts'
import { get } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { steady, turns } from '../support/turns.ts'

/** A pump, a sink whose room the test decides on, and what they told. */
function pumping(body: Exclude<ResponseBody, null>, declared: number | null = null) {
  const told: string[] = []
  const sink = {
    hasRoom: true,
    onDrain: null as (() => void) | null,
    write(piece: Uint8Array) {
      told.push(`write ${Buffer.from(piece)}`)
      return this.hasRoom
    },
  }
  const over = Promise.withResolvers<void>()
  const host: PumpHost = {
    sending: bytes => void told.push(`sending ${bytes}`),
    finished: () => {
      told.push('finished')
      over.resolve()
    },
    failed: error => {
      told.push(`failed: ${error.message}`)
      over.resolve()
    },
    overran: length => void told.push(`overran ${length}`),
  }
  const pump = new Pump(body, declared, sink as unknown as Sink, host)
  return { told, sink, pump, over: over.promise }
}

async function* source(log: string[], ...pieces: (string | Uint8Array)[]) {
  try {
    for (const piece of pieces) {
      log.push('pulled')
      yield piece
    }
  } finally {
    log.push('closed')
  }
}

describe('a pump', () => {
  test('moves the pieces in order, whatever their kind, and leaves empty ones away', async () => {
    const { told, pump, over } = pumping(
      source([], 'a', new Uint8Array(0), Buffer.from('b'), new Uint8Array([99])),
    )
    pump.start()
    await over
    expect(told).toEqual(['sending 1', 'write a', 'sending 1', 'write b', 'sending 1', 'write c', 'finished'])
  })

  test('pulls the next piece only when the sink has room', async () => {
    const log: string[] = []
    const { told, sink, pump, over } = pumping(source(log, 'a', 'b', 'c'))
    sink.hasRoom = false
    pump.start()
    await turns()
    expect(log).toEqual(['pulled'])
    sink.onDrain!()
    await turns()
    expect(log).toEqual(['pulled', 'pulled'])
    sink.hasRoom = true
    sink.onDrain!()
    await over
    expect(told.at(-1)).toBe('finished')
    expect(log.at(-1)).toBe('closed')
  })

  test('goes on when room came while it wrote', async () => {
    const { told, sink, pump, over } = pumping(source([], 'a', 'b'))
    sink.write = piece => {
      told.push(`write ${Buffer.from(piece)}`)
      sink.onDrain!()
      return false
    }
    pump.start()
    await over
    expect(told.filter(each => each.startsWith('write'))).toEqual(['write a', 'write b'])
  })

  test('that is stopped while it waits closes its source and says nothing more', async () => {
    const log: string[] = []
    const { told, sink, pump } = pumping(source(log, 'a', 'b'))
    sink.hasRoom = false
    pump.start()
    await turns()
    pump.stop()
    pump.stop()
    await turns()
    expect(log).toEqual(['pulled', 'closed'])
    expect(told).toEqual(['sending 1', 'write a'])
  })

  test('that is stopped destroys a Readable', async () => {
    const body = new Readable({ read() {} })
    const { told, pump } = pumping(body)
    pump.start()
    await turns()
    pump.stop()
    await turns()
    expect([body.destroyed, told]).toEqual([true, []])
  })

  test('that is stopped ends the iteration that it began, where the body itself has no end', async () => {
    const log: string[] = []
    const body = { [Symbol.asyncIterator]: () => source(log, 'a', 'b') }
    const { sink, pump } = pumping(body)
    sink.hasRoom = false
    pump.start()
    await turns()
    pump.stop()
    await turns()
    expect(log).toEqual(['pulled', 'closed'])
  })

  test('that is stopped bears a source that cannot be closed', async () => {
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => {
          throw new Error('no')
        },
      }),
    }
    const { told, pump } = pumping(body)
    pump.start()
    await turns()
    pump.stop()
    await turns()
    expect(told).toEqual([])
  })

  test.each<[string, () => AsyncIterable<string>]>([
    ['throws', () => throwing()],
    ['cannot be iterated', () => ({ [Symbol.asyncIterator]: () => fail() })],
    ['gives no bytes', () => Readable.from([7]) as unknown as AsyncIterable<string>],
  ])('tells when its source %s', async (_, body) => {
    const { told, pump, over } = pumping(body())
    pump.start()
    await over
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^failed: (the disk is gone|a piece of a body must be)/)
  })

  test('tells when the source ends short of its length', async () => {
    const { told, pump, over } = pumping(source([], 'abc'), 5)
    pump.start()
    await over
    expect(told.at(-1)).toBe('failed: the body ended 2 bytes short of its length 5')
  })

  test('cuts what runs over the length, tells it, and closes the source', async () => {
    const log: string[] = []
    const { told, pump, over } = pumping(source(log, 'abc', 'def', 'ghi'), 4)
    pump.start()
    await over
    await turns()
    expect(told).toEqual(['sending 3', 'write abc', 'sending 1', 'write d', 'overran 4', 'finished'])
    expect(log).toEqual(['pulled', 'pulled', 'closed'])
  })

  test('cuts a piece that comes when the length is reached already', async () => {
    const { told, pump, over } = pumping(source([], 'abcd', 'e'), 4)
    pump.start()
    await over
    expect(told).toEqual(['sending 4', 'write abcd', 'overran 4', 'finished'])
  })

  async function* throwing(): AsyncGenerator<string> {
    yield* []
    fail()
  }

  function fail(): never {
    throw new Error('the disk is gone')
  }
})

describe('a slow reader', () => {
  test('has the source pulled only as fast as it reads', async () => {
    const size = 100_000
    const count = 400
    let pulls = 0
    async function* pieces() {
      for (; pulls < count; pulls++) yield Buffer.alloc(size)
    }
    await using served = await startServer({
      limits: { writeBuffer: '256kb' },
      plugins: [answering(() => HttpResponse.stream(pieces()))],
    })
    await using client = await RawClient.connect(served.port)
    let received = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', chunk => {
      received += chunk.length
    })
    client.socket.pause()
    client.send(get())
    const stalled = await steady(() => pulls)
    // What the sockets of both sides hold, and no more.
    expect(stalled).toBeLessThan(count / 2)
    client.socket.once('data', () => client.socket.pause())
    client.socket.resume()
    expect(await steady(() => pulls)).toBeLessThan(count)
    const whole = new Promise<void>(resolve => {
      client.socket.on('data', () => {
        if (received > size * count) resolve()
      })
    })
    client.socket.resume()
    await whole
    expect(pulls).toBe(count)
  })

  test('that reads nothing has no more than the sockets hold, for a Readable too', async () => {
    let made = 0
    const body = new Readable({
      read() {
        made++
        this.push(made > 2_000 ? null : Buffer.alloc(65_536))
      },
    })
    await using served = await startServer({ plugins: [answering(() => HttpResponse.stream(body))] })
    await using client = await RawClient.connect(served.port)
    client.socket.pause()
    client.send(get())
    const stalled = await steady(() => made)
    expect(stalled * 65_536).toBeLessThan(20_000_000)
    client.reset()
    await served.untilEnded(1)
    expect(body.destroyed).toBe(true)
  })
})
