import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

// What Node brings: its parser, its headers, a constant body of --bytes bytes. With a certificate the same over TLS.
const { values } = parseArgs({
  options: { bytes: { type: 'string', default: '100' }, cert: { type: 'string' }, key: { type: 'string' } },
})
const body = 'x'.repeat(Number(values.bytes))
const headers = { 'content-type': 'text/plain', 'content-length': body.length }
// Idle connections stay for as long as the benchmark counts them.
const options = { keepAliveTimeout: 600_000 }

const answer: RequestListener = (_request, response) => {
  response.writeHead(200, headers)
  response.end(body, 'latin1')
}

const { cert, key } = values
const server =
  cert === undefined || key === undefined
    ? createServer(options, answer)
    : createHttpsServer({ ...options, cert: readFileSync(cert), key: readFileSync(key) }, answer)

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  const scheme = cert === undefined ? 'http' : 'https'
  process.stderr.write(`node:http listening on ${scheme}://127.0.0.1:${port}\n`)
})
