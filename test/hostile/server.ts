import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createServer, type Server, type ServerLimitsConfig } from 'rawhttp'
import { type Child, offer, settingsOf, startChild } from './child.ts'
import { Ledger } from './ledger.ts'
import { memoryNow } from './memory.ts'
import { Routes } from './routes.ts'

/** How a server under attack is configured. */
export interface ServerSettings {
  readonly limits?: ServerLimitsConfig
  /** A Unix socket to listen on, besides a port of 127.0.0.1. */
  readonly socket?: string | null
  /** Whether its connections are written down. Default: true; that costs memory for each. */
  readonly watched?: boolean
}

/** What a scenario can ask the server's process. */
export type ServerCalls = Awaited<ReturnType<typeof serve>>

/** The server, in a process of its own. */
export const startTarget = (settings: ServerSettings = {}): Promise<Child<ServerCalls>> =>
  startChild<ServerCalls>(new URL(import.meta.url), settings)

async function serve({ limits, socket = null, watched = true }: ServerSettings) {
  const ledger = new Ledger()
  const routes = new Routes()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const server: Server = await createServer({
    listen: [{ port: 0 }, ...(socket === null ? [] : [{ path: socket }])],
    limits,
    plugins: [watched && ledger.plugin(), routes.plugin()],
  })
  const [address] = await server.listen()
  return {
    port: () => Number(new URL(address!.url).port),
    memory: memoryNow,
    seen: () => ledger.seen(),
    untilOpened: (count: number) => ledger.untilOpened(count),
    untilTried: (count: number) => ledger.untilTried(count),
    untilClosed: (count: number) => ledger.untilClosed(count),
    untilEmpty: () => ledger.untilEmpty(() => routes.begun),
    begun: () => routes.begun,
    entered: (path: string) => routes.entered(path),
    untilEntered: (path: string, count: number) => routes.untilEntered(path, count),
    /** The longest time, in milliseconds, in which the event loop did not turn. */
    longestStall: () => delay.max / 1e6,
  }
}

if (process.argv[1] === import.meta.filename) offer(await serve(settingsOf<ServerSettings>()))
