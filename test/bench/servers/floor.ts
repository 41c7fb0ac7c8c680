import { type AddressInfo, createServer } from 'node:net'
import { parseArgs } from 'node:util'

// The least that a server on Node can do: no parser, no request object, one constant of --bytes bytes a request.
const { values } = parseArgs({ options: { bytes: { type: 'string', default: '200' } } })
const answer = answerOf(Number(values.bytes))

const server = createServer({ noDelay: true }, socket => {
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
    rest = start === text.length ? '' : text.slice(start)
    if (count > 0) socket.write(count === 1 ? answer : answer.repeat(count), 'latin1')
  })
})

server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`floor listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})

/** A whole message of that many bytes, as near as a head of about 80 bytes allows. */
function answerOf(bytes: number): string {
  const head = (length: number): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n\r\n`
  const length = Math.max(0, bytes - head(bytes).length)
  return head(length) + 'x'.repeat(length)
}
