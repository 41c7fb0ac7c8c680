import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { duplexPair } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { type Child, offer, startChild } from './child.ts'
import { ADDRESSES } from './crowd.ts'
import { descriptorLimit } from './memory.ts'

/** How far clients go: half a hello, a whole one and not a word more, or all of the handshake and a page. */
export type TlsHabit = 'stalled' | 'silent' | 'whole'

/** What a scenario can ask the process of a crowd. */
export type TlsCrowdCalls = ReturnType<typeof crowd>

/** Clients that shake hands or only begin to, in a process of their own. */
export const startTlsCrowd = (): Promise<Child<TlsCrowdCalls>> =>
  startChild<TlsCrowdCalls>(new URL(import.meta.url))

/** Descriptors that a process needs for itself. */
const SPARE = 100
/** Less than the half that a client sends of a hello, and more than its head. */
const HALF = 100
const names = { servername: 'localhost', rejectUnauthorized: false }

function crowd() {
  const sockets: Socket[] = []

  /** Whether it had a page; one that is turned away, as some are in a flood, is none of our business. */
  function hasPage(socket: Socket): Promise<boolean> {
    const tls = connectTls({ socket, ...names }).on('error', () => undefined)
    tls.once('secureConnect', () => tls.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    return new Promise(resolve => {
      tls.once('data', () => resolve(true)).once('close', () => resolve(false))
    })
  }

  return {
    /** Opens connections that say nothing yet, as many as descriptors allow. Gives their number. */
    async open(count: number, port: number): Promise<number> {
      const most = Math.max(0, Math.min(count, descriptorLimit() - SPARE - sockets.length))
      const first = sockets.length
      sockets.push(...Array.from({ length: most }, (_, index) => connectFrom(first + index, port)))
      await Promise.all(sockets.slice(first).map(socket => once(socket, 'connect')))
      return most
    },
    /** All of them say hello at once, or begin to. */
    async begin(habit: Exclude<TlsHabit, 'whole'>): Promise<void> {
      const bytes = await hello()
      for (const socket of sockets)
        socket.resume().write(habit === 'silent' ? bytes : bytes.subarray(0, HALF))
    },
    /** All of them shake hands and ask for a page. Gives how many had one, when all had or were turned away. */
    async visit(): Promise<number> {
      const had = await Promise.all(sockets.map(hasPage))
      return had.filter(each => each).length
    },
  }
}

function connectFrom(index: number, port: number): Socket {
  const localAddress = `127.0.0.${2 + (index % ADDRESSES)}`
  return connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined)
}

/** What a client says first. */
async function hello(): Promise<Buffer> {
  const [inner, outer] = duplexPair()
  connectTls({ socket: inner, ...names }).on('error', () => undefined)
  const [bytes] = (await once(outer, 'data')) as [Buffer]
  return bytes
}

if (process.argv[1] === import.meta.filename) {
  // What the crowd itself takes of the machine must not be what makes the honest client slow.
  setPriority(10)
  offer(crowd())
}
