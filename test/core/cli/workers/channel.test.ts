import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Channel, type Frame } from '../../../../core/cli/workers/channel.ts'

/** Two ends of a line. What is sent arrives in another turn, as a copy. */
function line() {
  const [left, right] = [new EventEmitter(), new EventEmitter()]
  const portOf = (own: EventEmitter, other: EventEmitter) => ({
    on: own.on.bind(own),
    send: (message: Frame) => setImmediate(() => other.emit('message', structuredClone(message))),
  })
  return { left, right, one: portOf(left, right), other: portOf(right, left) }
}

describe('a channel', () => {
  it('brings each answer to its question, whatever their order', async () => {
    const { one, other } = line()
    const gate = Promise.withResolvers<void>()
    const asks = new Channel(one, {})
    new Channel(other, {
      async place({ host, port }) {
        if (port === 1) await gate.promise
        return { port: port + 1_000, reusePort: host === 'a' }
      },
    })
    const late = asks.ask('place', { path: null, host: 'a', port: 1, at: '' })
    const soon = asks.ask('place', { path: null, host: 'b', port: 2, at: '' })
    expect(await soon).toEqual({ port: 1_002, reusePort: false })
    gate.resolve()
    expect(await late).toEqual({ port: 1_001, reusePort: true })
  })

  it('tells who asked of a failure', async () => {
    const { one, other } = line()
    new Channel(other, {
      prepare() {
        throw new Error('not now')
      },
    })
    const asks = new Channel(one, {})
    await expect(asks.ask('prepare', null)).rejects.toThrow('not now')
    await expect(asks.ask('commit', null)).rejects.toThrow('nobody can be asked for commit')
  })

  it('waits no longer than it was told, nor when nobody is there any more', async () => {
    const { one } = line()
    const asks = new Channel(one, {})
    await expect(asks.ask('prepare', null, 1)).rejects.toThrow('no answer within 0.001 s')
    const open = asks.ask('prepare', null)
    asks.close(new Error('gone'))
    await expect(open).rejects.toThrow('gone')
    await expect(asks.ask('prepare', null)).rejects.toThrow('gone')
  })

  it('fails a question that cannot be sent', async () => {
    const failing = {
      on: () => undefined,
      send: (_: Frame, callback: (error: Error) => void) => callback(new Error('closed')),
    }
    await expect(new Channel(failing, {}).ask('prepare', null)).rejects.toThrow('closed')
  })

  it('leaves messages of others alone', async () => {
    const { one, other, right, left } = line()
    const heard: unknown[] = []
    right.on('message', message => heard.push(message))
    new Channel(other, {})
    for (const message of [null, 'text', { cmd: 'NODE_CLUSTER' }]) one.send(message as never)
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    expect(heard).toHaveLength(3)
    expect(left.listenerCount('message')).toBe(0)
  })

  it('says from when to when it waits for answers', async () => {
    const { one, other } = line()
    const busy: boolean[] = []
    new Channel(other, { reopen: () => null })
    const asks = new Channel(one, {}, isBusy => busy.push(isBusy))
    await Promise.all([asks.ask('reopen', null), asks.ask('reopen', null)])
    expect(busy).toEqual([true, false])
  })
})
