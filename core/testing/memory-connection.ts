import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Listener, type Peer } from '../listener.ts'
import type { Server } from '../server.ts'
import { MemorySocket } from './memory-socket.ts'
import { RawClient } from './raw-client.ts'
import type { Split } from './splits.ts'

/** Who connects in memory, and how. */
export interface MemoryConnection {
  /** Who the client is. Default: `127.0.0.1`, with a port of its own. */
  readonly client?: Peer | undefined
  /** Which of the config's listeners it comes to. Default: 0, the first. */
  readonly listener?: number | undefined
  /**
   * Cuts what the client sends, below any layer: the server reads pieces of that many bytes, each in a turn of its own.
   * Default: it is not cut.
   */
  readonly split?: Split | undefined
  /** Puts the client's side of a layer over the stream: of TLS, or a PROXY header that goes first. Default: none. */
  readonly wrap?: ((stream: Duplex) => Duplex | Promise<Duplex>) | undefined
}

let clients = 0

/**
 * Connects to a server without a port: both ends are streams in memory, and all else is as on a socket.
 *
 * @throws RangeError when the config has no such listener; what `start` throws.
 */
export async function connectInMemory(server: Server, options: MemoryConnection = {}): Promise<RawClient> {
  const {
    client = { address: '127.0.0.1', port: 1_024 + (clients++ % 60_000) },
    listener = 0,
    split,
    wrap,
  } = options
  await server.start()
  const { listen } = server.generation.config
  const config = listen[listener]
  if (config === undefined)
    throw new RangeError(`connect: the config has ${listen.length} listeners, no ${listener}`)
  const ends = MemorySocket.pair(client, { address: '127.0.0.1', port: config.port }, split ?? null)
  // A client that leaves is not the business of the one who wrote to it.
  ends.client.on('error', () => undefined)
  const place = server.listeners[listener] ?? new Listener(config, server.accept)
  server.accept(ends.server as unknown as Socket, place)
  const stream = wrap === undefined ? ends.client : await wrap(ends.client)
  return RawClient.over(stream as unknown as Socket, ends.client)
}
