import { type Duplex, duplexPair } from 'node:stream'
import type { ResolvedListen } from '../../config/types.ts'
import { Connection } from '../../connection.ts'
import type { ConnectionInfo, TlsInfo } from '../../listener.ts'
import type { Server } from '../../server.ts'
import type { RequestTrace } from '../../trace/types.ts'
import { bytesOf, type Question } from './question.ts'

/** Milliseconds that a head may take, and then the body behind it: it may have no end. */
const HEAD_LIMIT = 600_000
const BODY_LIMIT = 3_000

/** Sends requests to a server over a stream in memory: through its parser and its writer, past its sockets. */
export class Asker {
  readonly #server: Server
  /** Takes the trace of the request that is under way. */
  #finished: (trace: RequestTrace) => void = () => undefined

  /** @param traced Calls what it is given with each trace. */
  constructor(server: Server, traced: (listener: (trace: RequestTrace) => void) => void) {
    this.#server = server
    traced(trace => this.#finished(trace))
  }

  /** The trace of a request, once it has ended. */
  async ask(question: Question): Promise<RequestTrace> {
    const trace = new Promise<RequestTrace>(resolve => {
      this.#finished = resolve
    })
    const [client, stream] = duplexPair()
    connect(stream, infoFor(question, this.#server, stream), this.#server)
    client.on('error', () => undefined).on('data', () => undefined)
    client.once('data', (head: Buffer) => {
      // Who has changed the protocol waits for us to speak it.
      if (head.toString('latin1').startsWith('HTTP/1.1 101 ')) setImmediate(() => stream.destroy())
    })
    // An answer may go on for ever. And a handler that waits for nothing of the system's must not end the process.
    const leave = () => void client.destroy()
    let hold = setTimeout(leave, HEAD_LIMIT)
    client.once('data', () => {
      clearTimeout(hold)
      hold = setTimeout(leave, BODY_LIMIT)
    })
    client.write(bytesOf(question))
    const done = await trace
    clearTimeout(hold)
    client.destroy()
    return done
  }
}

function connect(stream: Duplex, info: ConnectionInfo, server: Server): void {
  const { limits } = listenerFor(info.tls !== undefined, server)
  const connection = new Connection(stream, info, limits, server)
  stream.on('error', error => connection.failed(error)).on('close', () => connection.closed())
  connection.start()
}

/** The listener that a client of this kind comes to first. */
function listenerFor(isSecure: boolean | null, { generation }: Server): ResolvedListen {
  const { listen } = generation.config
  return listen.find(({ tls }) => isSecure === null || tls === isSecure) ?? listen[0]!
}

/** A client on this machine. What TLS tells a server beyond its being there is made up. */
function infoFor({ isSecure, authority }: Question, server: Server, stream: Duplex): ConnectionInfo {
  const { host, port, tls: isTls } = listenerFor(isSecure, server)
  const serverName = authority?.replace(/:\d*$/, '')
  const tls: TlsInfo = { protocol: 'TLSv1.3', alpn: 'http/1.1', serverName }
  return {
    id: 0,
    client: { address: '127.0.0.1', port: 0 },
    local: { address: host, port },
    listener: 'rawhttp explain',
    wantsTls: false,
    via: [],
    ...((isSecure ?? isTls) ? { tls } : {}),
    proxies: () => server.generation.config.trustedProxies,
    reset: () => void stream.destroy(),
  }
}
