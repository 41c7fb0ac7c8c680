import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { JOINED_BYTES, Output } from '../../core/output.ts'
import { startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

/** A transport that notes each write, and takes it when the test says so. */
class Transport extends Duplex {
  readonly writes: string[] = []
  readonly #open: ((error?: Error) => void)[] = []
  isSlow = false

  constructor() {
    super({ decodeStrings: false, read() {} })
    this.on('error', () => undefined)
  }

  override _write(chunk: string | Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#note(Buffer.from(chunk as string, 'latin1').toString('latin1'), done)
  }

  override _writev(chunks: { chunk: string | Buffer }[], done: (error?: Error) => void): void {
    this.#note(
      chunks.map(({ chunk }) => Buffer.from(chunk as string, 'latin1').toString('latin1')).join(''),
      done,
    )
  }

  #note(text: string, done: (error?: Error) => void): void {
    this.writes.push(text)
    if (this.isSlow) this.#open.push(done)
    else done()
  }

  /** Ends the oldest write. */
  settle(error?: Error): void {
    this.#open.shift()!(error)
  }
}

function opened(isSlow = false) {
  const transport = new Transport()
  transport.isSlow = isSlow
  const told: string[] = []
  const output = new Output(transport, {
    stuck: () => void told.push('stuck'),
    taken: () => void told.push('taken'),
    failed: error => void told.push(`failed: ${error.message}`),
  })
  const waiter = (name: string) => ({
    flushed: (error: Error | null) => void told.push(error === null ? name : `${name}: ${error.message}`),
  })
  return { transport, output, told, waiter }
}

describe('an output', () => {
  test('gathers what one turn appends into one write', async () => {
    const { transport, output } = opened()
    output.text('a')
    output.bytes(Buffer.from([0xff]))
    output.text('c')
    expect(transport.writes).toEqual([])
    await turns(1)
    expect(transport.writes).toEqual(['a\u00ffc'])
  })

  test('sends large bytes as they are, behind the text before them, in one go', async () => {
    const { transport, output } = opened()
    output.text('head ')
    output.bytes(Buffer.alloc(JOINED_BYTES + 1, 'x'))
    expect(transport.writes).toEqual([`head ${'x'.repeat(JOINED_BYTES + 1)}`])
    output.text('tail')
    await turns(1)
    expect(transport.writes[1]).toBe('tail')
  })

  test('counts what waits, gathered or written', async () => {
    const { transport, output } = opened(true)
    output.text('abc')
    expect(output.queued).toBe(3)
    output.flush()
    output.text('de')
    expect(output.queued).toBe(5)
    await turns(1)
    transport.settle()
    expect(output.queued).toBe(2)
  })

  test('tells each waiter when what came before it is out, in order', async () => {
    const { transport, output, told, waiter } = opened(true)
    output.notify(waiter('nothing'))
    await turns(1)
    expect(told).toEqual(['nothing'])
    output.text('a')
    output.notify(waiter('a'))
    output.flush()
    output.notify(waiter('still a'))
    output.flush()
    output.text('b')
    output.notify(waiter('b'))
    await turns(1)
    expect(told).toEqual(['nothing', 'stuck', 'stuck'])
    transport.settle()
    await turns(1)
    expect(told.slice(3)).toEqual(['a', 'still a', 'taken'])
    transport.settle()
    await turns(1)
    expect(told.slice(6)).toEqual(['b', 'taken'])
  })

  test('tells the waiters of a write that failed, and its connection, which must not write on', async () => {
    const { transport, output, told, waiter } = opened(true)
    output.text('a')
    output.notify(waiter('a'))
    await turns(1)
    output.text('b')
    output.notify(waiter('b'))
    transport.settle(new Error('EPIPE'))
    await turns(1)
    expect(told).toEqual(['stuck', 'a: EPIPE', 'b: EPIPE', 'failed: EPIPE'])
  })

  test('that has failed tells every waiter why, once, and takes nothing more', async () => {
    const { transport, output, told, waiter } = opened(true)
    output.text('a')
    output.notify(waiter('a'))
    output.flush()
    output.text('b')
    output.notify(waiter('b'))
    output.fail(new Error('gone'))
    output.fail(new Error('again'))
    expect(told).toEqual(['stuck', 'a: gone', 'b: gone'])
    output.text('c')
    output.bytes(Buffer.alloc(JOINED_BYTES + 1))
    output.notify(waiter('c'))
    transport.settle()
    await turns(1)
    expect(told.slice(3)).toEqual(['c: gone'])
    expect(transport.writes).toEqual(['a'])
    expect(output.queued).toBe(0)
  })

  test('is stalled from the write on that is not taken, and anew after each that is', async () => {
    const { transport, output } = opened(true)
    expect([output.stalled(0), output.nextLook(0, 100)]).toEqual([0, Number.POSITIVE_INFINITY])
    output.text('a')
    output.flush()
    output.text('b')
    output.flush()
    expect(output.stalled(1_000)).toBe(0)
    expect(output.stalled(1_090)).toBe(90)
    expect(output.nextLook(1_010, 100)).toBe(1_035)
    expect(output.nextLook(1_090, 100)).toBe(1_100)
    transport.settle()
    await turns(1)
    expect(output.stalled(1_095)).toBe(0)
    expect(output.stalled(1_100)).toBe(5)
    transport.settle()
    await turns(1)
    expect(output.stalled(2_000)).toBe(0)
  })

  test('sees the progress within one write, where the transport shows it', () => {
    const { transport, output } = opened(true)
    const handle = { writeQueueSize: 100 }
    Object.assign(transport, { _handle: handle })
    output.text('x'.repeat(100))
    output.flush()
    expect(output.stalled(0)).toBe(0)
    expect(output.stalled(50)).toBe(50)
    handle.writeQueueSize = 60
    expect(output.stalled(60)).toBe(0)
    expect(output.stalled(70)).toBe(10)
  })

  test('never says that memory may be used again where the stream may have passed it on', async () => {
    const { transport, output, told, waiter } = opened()
    output.bytes(Buffer.alloc(JOINED_BYTES + 1))
    output.whenTaken(() => void told.push('free'))
    output.notify(waiter('out'))
    await turns()
    expect(transport.writes).toHaveLength(1)
    expect(told.slice(-2)).toEqual(['taken', 'out'])
    expect(told).not.toContain('free')
  })

  test('says so of a socket when the bytes are out, and not when it broke', async () => {
    await using server = await startServer({})
    const socket = connect(server.port, '127.0.0.1')
    const freed: string[] = []
    const output = new Output(socket, {
      stuck: () => undefined,
      taken: () => undefined,
      failed: () => undefined,
    })
    const out = new Promise<void>(resolve => {
      output.bytes(Buffer.alloc(JOINED_BYTES + 1))
      output.whenTaken(() => void freed.push('first'))
      output.notify({ flushed: () => resolve() })
    })
    expect(freed).toEqual([])
    await out
    expect(freed).toEqual(['first'])
    output.bytes(Buffer.alloc(JOINED_BYTES + 1))
    output.whenTaken(() => void freed.push('second'))
    output.fail(new Error('broken'))
    socket.destroy()
    await turns()
    expect(freed).toEqual(['first'])
  })
})
