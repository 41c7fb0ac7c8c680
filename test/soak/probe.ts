import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { type Memory, memoryNow } from '../hostile/memory.ts'

/** What a process is like when nobody asks it for anything. */
export interface Probe extends Memory {
  /** Open files and sockets. */
  readonly descriptors: number
  /** What keeps the event loop going, by its kind. */
  readonly resources: Readonly<Record<string, number>>
}

// Comes by --import into the primary and each worker. Who connects is told, and nobody else notices.
const server = createServer(async socket => {
  const memory = await memoryNow()
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const descriptors = readdirSync('/proc/self/fd').length
  const probe: Probe = { ...memory, descriptors, resources }
  socket.end(JSON.stringify(probe))
})
// Not by way of the primary: each process has one of its own.
server.listen({ path: `probe.${process.pid}`, exclusive: true }).unref()
