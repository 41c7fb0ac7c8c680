import { readFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { parseArgs } from 'node:util'
import { createServer, definePlugin, Handle, HttpResponse } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'

// One constant of a kilobyte over TLS, by the server that --kind names, all with the same certificate.
const { values } = parseArgs({
  options: { kind: { type: 'string' }, cert: { type: 'string' }, key: { type: 'string' } },
})
const body = 'x'.repeat(1_024)
const pair = { cert: readFileSync(values.cert!), key: readFileSync(values.key!) }

const servers: Readonly<Record<string, () => void>> = {
  rawhttp: () => void serveRawhttp(),
  'node:tls': () => listen(floor()),
  'node:https': () => listen(nodeHttps()),
}
servers[values.kind!]!()

async function serveRawhttp(): Promise<void> {
  const answer = HttpResponse.text(body)
  const constant = definePlugin({
    name: 'constant',
    site: site => site.hooks.handle.tap({ name: 'constant', stage: Handle.Route }, () => answer),
  })
  const server = await createServer({ listen: [{ port: 0, tls: true }], plugins: [tls(pair), constant()] })
  const [address] = await server.listen()
  ready(address!.url)
}

/** The least that Node can do: no parser, an answer for each empty line. */
function floor(): Server {
  const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  return createTlsServer({ ...pair, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }, socket => {
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      const count = chunk.toString('latin1').split('\r\n\r\n').length - 1
      if (count > 0) socket.write(answer.repeat(count), 'latin1')
    })
  })
}

function nodeHttps(): Server {
  const headers = { 'content-type': 'text/plain', 'content-length': body.length }
  return createHttpsServer({ ...pair, minVersion: 'TLSv1.2' }, (_request, response) => {
    response.writeHead(200, headers)
    response.end(body, 'latin1')
  })
}

function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => ready(`https://127.0.0.1:${(server.address() as AddressInfo).port}`))
}

function ready(url: string): void {
  process.stderr.write(`${values.kind} listening on ${url}\n`)
}
