import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Child, offer, startChild } from './child.ts'
import { descriptorLimit } from './memory.ts'

/** What a client of a crowd sends first, and what it does then. */
interface Habit {
  readonly opening: string
  /** Whether it goes on with one byte every half a second. */
  readonly trickles?: boolean
  /** Whether it reads what comes. Default: true. */
  readonly reads?: boolean
}

const post = (length: number) => `POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`

/** Ways to keep a connection of a server busy. */
const habits = {
  'sends nothing': { opening: '' },
  'trickles a head': { opening: 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ', trickles: true },
  'stops in the body': { opening: `${post(1_000)}abc` },
  'trickles a body': { opening: `${post(100_000)}abc`, trickles: true },
  'never reads': { opening: 'GET /shared HTTP/1.1\r\nHost: a\r\n\r\n', reads: false },
  'waits for a handler': { opening: 'GET /hold HTTP/1.1\r\nHost: a\r\n\r\n' },
  'keeps alive': { opening: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
} satisfies Readonly<Record<string, Habit>>

export type HabitName = keyof typeof habits

export interface CrowdSettings {
  readonly habit: HabitName
  readonly count: number
  /** A port of 127.0.0.1, or a Unix socket. */
  readonly target: number | string
}

/** What a scenario can ask the process of a crowd. */
export type CrowdCalls = ReturnType<typeof crowd>

/** Slow clients, in a process of their own. */
export const startCrowd = (): Promise<Child<CrowdCalls>> => startChild<CrowdCalls>(new URL(import.meta.url))

/** As many addresses as if each had few connections: 127.0.0.2 to 127.0.0.21. */
export const ADDRESSES = 20
/**
 * Half of the listener's backlog: when more than it holds wait to be accepted, the kernel drops them. So a scenario
 * opens no more than this before it has seen them at the server.
 */
export const BATCH = 250
const AT_ONCE = 64
/** Descriptors that a process needs for itself. */
const SPARE = 100
const TICK = 50
const TICKS_A_BYTE = 10

function crowd() {
  const sockets = new Set<Socket>()
  const slow: Socket[] = []
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const answers = new EventEmitter()
  let answered = 0
  let tick = 0
  setInterval(() => {
    tick = (tick + 1) % TICKS_A_BYTE
    for (let at = tick; at < slow.length; at += TICKS_A_BYTE) if (slow[at]!.writable) slow[at]!.write('a')
  }, TICK)

  async function open({ habit, target }: CrowdSettings, index: number): Promise<void> {
    const { opening, trickles = false, reads = true }: Habit = habits[habit]
    const socket = await connected(target, index)
    sockets.add(socket.on('close', () => sockets.delete(socket)))
    if (opening !== '') socket.write(opening)
    if (trickles) slow.push(socket)
    if (reads) socket.once('data', () => answers.emit('answer', ++answered)).resume()
  }

  return {
    /** Opens connections, as many as descriptors allow. Gives their number. */
    async open(settings: CrowdSettings): Promise<number> {
      const count = Math.min(settings.count, descriptorLimit() - SPARE - sockets.size)
      let next = 0
      const opener = async () => {
        while (next < count) await open(settings, next++)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, opener))
      return count
    },
    /** When that many of all who read were answered. */
    async untilAnswered(count: number): Promise<void> {
      while (answered < count) await once(answers, 'answer')
    },
    longestStall: () => delay.max / 1e6,
  }
}

function connected(target: number | string, index: number): Promise<Socket> {
  const localAddress = `127.0.0.${2 + (index % ADDRESSES)}`
  const socket =
    typeof target === 'string'
      ? connect({ path: target })
      : connect({ port: target, host: '127.0.0.1', localAddress })
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('error', reject).on('error', () => undefined)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

if (process.argv[1] === import.meta.filename) {
  // What the crowd itself takes of the machine must not be what makes the honest client slow.
  setPriority(10)
  offer(crowd())
}
