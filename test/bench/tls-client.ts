import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { parseArgs } from 'node:util'

// Shakes hands --count times, --at-once of them at a time, and says on stdout when it is done. Each whole handshake
// asks for one page.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    count: { type: 'string' },
    'at-once': { type: 'string', default: '16' },
    /** `whole`, `resumed`; `stalled` sends half a hello and stays, `silent` a whole one. */
    how: { type: 'string', default: 'whole' },
  },
})
const { hostname, port } = new URL(values.url!)
const to = { host: hostname, port: Number(port), servername: 'localhost', rejectUnauthorized: false }
const count = Number(values.count)

const ways: Readonly<Record<string, () => Promise<void>>> = {
  whole: () => repeat(() => visit({})),
  resumed,
  stalled: () => half(hello => hello.subarray(0, 100)),
  silent: () => half(hello => hello),
}
await ways[values.how!]!()
process.stdout.write('done\n')

async function resumed(): Promise<void> {
  const first = Promise.withResolvers<Buffer>()
  await visit({}, first.resolve)
  const session = await first.promise
  await repeat(() => visit({ session }))
}

async function repeat(one: () => Promise<void>): Promise<void> {
  let left = count
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: Number(values['at-once']) }, worker))
}

/** One connection, one page. */
async function visit(options: ConnectionOptions, onSession?: (session: Buffer) => void): Promise<void> {
  const socket = connect({ ...to, ...options })
  if (onSession !== undefined) socket.once('session', onSession)
  await once(socket, 'secureConnect')
  if (options.session !== undefined && !socket.isSessionReused()) throw new Error('It was not resumed.')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
}

/** Clients that send so much of a hello, and then wait for ever. */
async function half(part: (hello: Buffer) => Buffer): Promise<void> {
  const bytes = part(await hello())
  await Promise.all(
    Array.from({ length: count }, async () => {
      const socket: Socket = connectPlain(to)
      socket.on('error', () => undefined).resume()
      await once(socket, 'connect')
      socket.write(bytes)
    }),
  )
}

async function hello(): Promise<Buffer> {
  const [inner, outer] = duplexPair()
  connect({ ...to, socket: inner }).on('error', () => undefined)
  const [bytes] = (await once(outer, 'data')) as [Buffer]
  return bytes
}
