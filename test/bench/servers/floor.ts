import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { parseArgs } from 'node:util'

// The least that a server on Node can do: no parser, no request object, one constant of --bytes bytes a request. With a
// certificate the same over TLS.
const { values } = parseArgs({
  options: { bytes: { type: 'string', default: '200' }, cert: { type: 'string' }, key: { type: 'string' } },
})
const answer = answerOf(Number(values.bytes))
const large = answer.length > 16_384 ? Buffer.from(answer, 'latin1') : null

function serve(socket: Socket): void {
  let rest = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    const text = rest + chunk.toString('latin1')
    let count = 0
    let start = 0
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n', start)) {
      count++
      start = end + 4
    }
    // All that an end of a head could begin with.
    rest = text.slice(Math.max(start, text.length - 3))
    if (large !== null) for (let i = 0; i < count; i++) socket.write(large)
    else if (count > 0) socket.write(count === 1 ? answer : answer.repeat(count), 'latin1')
  })
}

const { cert, key } = values
const server =
  cert === undefined || key === undefined
    ? createServer({ noDelay: true }, serve)
    : createTlsServer(
        {
          cert: readFileSync(cert),
          key: readFileSync(key),
          minVersion: 'TLSv1.2',
          ALPNProtocols: ['http/1.1'],
          noDelay: true,
        },
        serve,
      )

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stderr.write(`floor listening on ${cert === undefined ? 'http' : 'https'}://127.0.0.1:${port}\n`)
})

/** A whole message of that many bytes, as near as a head of about 80 bytes allows. */
function answerOf(bytes: number): string {
  const head = (length: number): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n\r\n`
  const length = Math.max(0, bytes - head(bytes).length)
  return head(length) + 'x'.repeat(length)
}
