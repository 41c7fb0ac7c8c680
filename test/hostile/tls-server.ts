import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createServer } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { type Child, offer, settingsOf, startChild } from './child.ts'
import { Ledger } from './ledger.ts'
import { Routes } from './routes.ts'

/** A certificate and its key, as PEM. */
export interface TlsServerSettings {
  readonly cert: string
  readonly key: string
}

/** What a scenario can ask the server's process. */
export type TlsServerCalls = Awaited<ReturnType<typeof serve>>

/** A server that speaks TLS, in a process of its own, with the limits that everybody gets. */
export const startTlsTarget = (settings: TlsServerSettings): Promise<Child<TlsServerCalls>> =>
  startChild<TlsServerCalls>(new URL(import.meta.url), settings)

async function serve(pair: TlsServerSettings) {
  const ledger = new Ledger()
  const routes = new Routes()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const server = await createServer({
    listen: [{ port: 0, tls: true }],
    plugins: [ledger.plugin(), tls(pair), routes.plugin()],
  })
  const [address] = await server.listen()
  return {
    port: () => Number(new URL(address!.url).port),
    seen: () => ledger.seen(),
    untilOpened: (count: number) => ledger.untilOpened(count),
    untilEmpty: () => ledger.untilEmpty(() => routes.begun),
    /** The longest time, in milliseconds, in which the event loop did not turn. */
    longestStall: () => delay.max / 1e6,
  }
}

if (process.argv[1] === import.meta.filename) offer(await serve(settingsOf<TlsServerSettings>()))
