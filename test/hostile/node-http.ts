import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Child, offer, startChild } from './child.ts'
import { memoryNow } from './memory.ts'

/** What a scenario can ask of node:http. */
export type NodeHttpCalls = Awaited<ReturnType<typeof serve>>

/** The server that Node brings, in a process of its own. */
export const startNodeHttp = (): Promise<Child<NodeHttpCalls>> =>
  startChild<NodeHttpCalls>(new URL(import.meta.url))

async function serve() {
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 3 })
    response.end('ok\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: () => (server.address() as AddressInfo).port, memory: memoryNow }
}

if (process.argv[1] === import.meta.filename) offer(await serve())
