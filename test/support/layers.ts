import type { Duplex } from 'node:stream'
import {
  Connect,
  type ConnectionInfo,
  type ConnectionOwner,
  definePlugin,
  type HttpRequest,
  HttpResponse,
  type PluginServer,
  type Plugins,
} from 'rawhttp'
import { answering } from './server.ts'

type Tap = (stream: Duplex, info: ConnectionInfo, server: PluginServer) => ConnectionOwner | undefined
/** A plugin with one `connection` tap. */
export const layer = (name: string, stage: number, tap: Tap): Plugins[number] =>
  definePlugin({
    name,
    server(server) {
      server.hooks.connection.tap({ name, stage }, (stream, info) => tap(stream, info, server))
    },
  })()

/** An owner that does nothing. */
export const owner = (name: string): ConnectionOwner => ({
  name,
  drain: () => undefined,
  destroy: () => undefined,
})

/** Reads `FROM <address> <port>` as a PROXY line, and gives the stream back with the client that it names. */
export const proxyLine = layer('test-proxy', Connect.Address, (stream, info, server) => {
  let text = ''
  const read = (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\n')
    if (end === -1) return
    const [, address = '', port] = text.slice(0, end).split(' ')
    stream.off('data', read)
    stream.pause()
    if (end + 1 < text.length) stream.unshift(Buffer.from(text.slice(end + 1), 'latin1'))
    const client = { address, port: Number(port) }
    server.serve(stream, { ...info, client, via: [...info.via, 'proxy'] })
  }
  stream.on('data', read)
  return owner('test-proxy')
})

/** Answers with what is known of the client. */
export const who = answering(({ client, connection, scheme }: HttpRequest) =>
  HttpResponse.json({ client, via: connection!.via, scheme, tls: connection!.tls }),
)
