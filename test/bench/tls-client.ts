import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { parseArgs } from 'node:util'

// Shakes hands --count times, --at-once of them at a time, and says on stdout when it is done. Each whole handshake
// asks for one page, and its client says how long the answers were.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    count: { type: 'string' },
    'at-once': { type: 'string', default: '16' },
    /** `whole`, `resumed`; `stalled` sends half a hello and stays, `silent` a whole one. */
    how: { type: 'string', default: 'whole' },
  },
})
const { hostname, port, pathname } = new URL(values.url!)
const to = { host: hostname, port: Number(port), servername: 'localhost', rejectUnauthorized: false }
const count = Number(values.count)

const ways: Readonly<Record<string, () => Promise<void>>> = {
  whole: () => repeat(() => visit({})),
  resumed,
  stalled: () => half(hello => hello.subarray(0, 100)),
  silent: () => half(hello => hello),
}
let seen = { total: 0, body: 0 }
await ways[values.how!]!()
process.stdout.write(`${JSON.stringify(seen)}\n`)

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
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  seen = await answerOf(socket)
  socket.destroy()
}

/** @throws Error when it is no 200 of known length, or ends before. */
async function answerOf(socket: Socket): Promise<typeof seen> {
  let text = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1')
    const head = text.indexOf('\r\n\r\n') + 4
    if (head < 4) continue
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1])
    if (!text.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) throw new Error(text.slice(0, head))
    if (text.length >= head + length) return { total: text.length, body: length }
  }
  throw new Error(`The answer was cut:\n${text}`)
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
