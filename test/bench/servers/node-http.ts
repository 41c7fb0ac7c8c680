import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'

// What Node brings: its parser, its headers, a constant body of --bytes bytes.
const { values } = parseArgs({ options: { bytes: { type: 'string', default: '100' } } })
const body = 'x'.repeat(Number(values.bytes))
const headers = { 'content-type': 'text/plain', 'content-length': body.length }

const server = createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(body, 'latin1')
})

server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`node:http listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
