import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { workspace } from '../core/config/workspace.ts'
import { SoakConnection } from './connection.ts'
import { Tally } from './tally.ts'

it('a request that is never answered is lost, and holds nobody up', async () => {
  const sockets: Socket[] = []
  const server = createServer(socket => sockets.push(socket.resume())).listen(0, '127.0.0.1')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const tally = new Tally(join(workspace(), 'answers'))
  onTestFinished(() => tally.close())
  const connection = await SoakConnection.open('silent', tally, { port, tlsPort: port, cert: '' })
  await connection!.ask({ path: '/never', check: () => null }, { limit: 50 })
  expect(connection!.isOver).toBe(true)
  expect(tally.seen().lost).toMatchObject([{ kind: 'silent', what: '/never: no answer within 0.05 s' }])
})
