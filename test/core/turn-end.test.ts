import { AsyncLocalStorage } from 'node:async_hooks'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { HttpResponse, type Server } from 'rawhttp'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { atTurnEnd, beginsAt, type Gathering } from '../../core/turn-end.ts'
import { serve } from '../support/in-memory.ts'
import { get } from '../support/messages.ts'
import { answering } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const opened = () => {
  const left: string[] = []
  const gathering = (name: string): Gathering => ({ turnEnded: () => void left.push(name) })
  return { left, gathering }
}

describe('the end of a turn', () => {
  test('lets all leave that have gathered, in their order', async () => {
    const { left, gathering } = opened()
    atTurnEnd(gathering('a'))
    atTurnEnd(gathering('b'))
    await Promise.resolve()
    expect(left).toEqual([])
    await turns(1)
    expect(left).toEqual(['a', 'b'])
  })

  test('comes again for who gathers while others leave', async () => {
    const { left, gathering } = opened()
    atTurnEnd({ turnEnded: () => atTurnEnd(gathering('next')) })
    await turns(2)
    expect(left).toEqual(['next'])
  })

  test('is not waited for by more than 64', async () => {
    const { left, gathering } = opened()
    for (let i = 0; i < 64; i++) atTurnEnd(gathering(`${i}`))
    expect(left).toEqual([])
    atTurnEnd(gathering('one more'))
    expect(left).toHaveLength(64)
    await turns(1)
    expect(left.at(-1)).toBe('one more')
  })

  test('is not waited for when somebody else begins after more than a millisecond of work', async () => {
    const { left, gathering } = opened()
    beginsAt(1_000)
    atTurnEnd(gathering('fast'))
    beginsAt(1_001)
    atTurnEnd(gathering('slow'))
    expect(left).toEqual([])
    beginsAt(1_001.5)
    expect(left).toEqual(['fast', 'slow'])
    atTurnEnd(gathering('next'))
    beginsAt(1_002)
    expect(left).toHaveLength(2)
    await turns(1)
    expect(left.at(-1)).toBe('next')
  })

  test('is not put off by timers that a test has put in place of the real ones', async () => {
    const { left, gathering } = opened()
    vi.useFakeTimers({ toFake: ['setImmediate'] })
    try {
      atTurnEnd(gathering('a'))
    } finally {
      vi.useRealTimers()
    }
    await turns(1)
    expect(left).toEqual(['a'])
  })

  test('comes to everybody in the async context in which they gathered', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const gathering: Gathering = { turnEnded: () => void seen.push(context.getStore()) }
    context.run('a', () => atTurnEnd(gathering))
    context.run('b', () => atTurnEnd(gathering))
    atTurnEnd(gathering)
    await turns(1)
    expect(seen).toEqual(['a', 'b', undefined])
  })

  test('comes to all, whatever one of them throws, and to nobody who only came by', async () => {
    const { left, gathering } = opened()
    const thrown: unknown[] = []
    const noted = (error: unknown) => void thrown.push(error)
    const others = process.rawListeners('uncaughtException') as (typeof noted)[]
    process.removeAllListeners('uncaughtException').on('uncaughtException', noted)
    onTestFinished(() => {
      process.off('uncaughtException', noted)
      for (const other of others) process.on('uncaughtException', other)
    })
    const broken = new Error('broken')
    beginsAt(1_000)
    atTurnEnd({
      turnEnded: () => {
        throw broken
      },
    })
    atTurnEnd(gathering('next'))
    beginsAt(1_002)
    expect(left).toEqual(['next'])
    await turns(1)
    expect(thrown).toEqual([broken])
  })
})

describe('an answer', () => {
  test('leaves at the end of the turn in which its request came', async () => {
    const seen: boolean[] = []
    const streams = await asking(['/'], () => queueMicrotask(() => seen.push(streams[0]!.hasWritten)))
    await turns(2)
    expect(seen).toEqual([false])
    expect(streams[0]!.hasWritten).toBe(true)
  })

  test('leaves before others begin, once a slow handler was in its way', async () => {
    const before = new Map<string, number>()
    const streams = await asking(['/fast', '/slow', '/last'], path => {
      before.set(path, streams.filter(({ hasWritten }) => hasWritten).length)
      if (path === '/slow') block(5)
    })
    await turns(2)
    expect(before.get('/last')).toBe(2)
    expect(streams.every(({ hasWritten }) => hasWritten)).toBe(true)
  })

  test('whose end stops the server leaves the request unread before which it left', async () => {
    const { server } = await serve([answering(() => HttpResponse.empty())])
    await server.listen()
    const stream = accepted(server)
    await turns(1)
    const stopped = Promise.withResolvers<void>()
    beginsAt(performance.now() - 1_000)
    atTurnEnd({ turnEnded: () => stopped.resolve(server.stop()) })
    stream.push(get('/'))
    stream.push(null)
    await stopped.promise
    expect(stream.hasWritten).toBe(false)
  })
})

/** Asks for each path on a connection of its own, all in one turn. */
async function asking(paths: readonly string[], handled: (path: string) => void): Promise<Transport[]> {
  const answer = answering(({ path }) => {
    handled(path)
    return HttpResponse.empty()
  })
  const { server } = await serve([answer])
  await server.listen()
  return paths.map(path => {
    const stream = accepted(server)
    stream.push(get(path))
    return stream
  })
}

/** A connection of a server that listens. */
function accepted(server: Server): Transport {
  const stream = new Transport()
  onTestFinished(() => void stream.destroy())
  server.accept(stream as unknown as Socket, server.listeners[0]!)
  return stream
}

/** What a server needs of a socket. */
class Transport extends Duplex {
  readonly remoteAddress = '127.0.0.1'
  hasWritten = false

  setNoDelay(): void {}

  resetAndDestroy(): void {
    this.destroy()
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.hasWritten = true
    done()
  }
}

function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}
