import { once } from 'node:events'
import { existsSync } from 'node:fs'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Places } from '../../../../core/cli/workers/places.ts'
import { leaveSocket } from '../../../support/dead-socket.ts'
import { runtimeFolder } from '../reload-server.ts'

const places = () => new Places(async () => true)
const free = { path: null, host: '127.0.0.1', port: 0, at: 'listen[0]' }

describe('the places of workers', () => {
  it('have one free port for all who ask for 0 at the same place, and another one elsewhere', async () => {
    const known = places()
    const [one, same, other] = await Promise.all([
      known.find(free),
      known.find(free),
      known.find({ ...free, at: 'listen[1]' }),
    ])
    expect(one).toEqual({ port: expect.any(Number), reusePort: true })
    expect(same).toEqual(one)
    expect(other).not.toEqual(one)
  })

  it('are free again: it is for the workers to listen', async () => {
    const found = await places().find(free)
    const server = createServer().listen({ host: '127.0.0.1', port: 'port' in found ? found.port : -1 })
    await once(server, 'listening')
    server.close()
  })

  it('that others have are looked for again, each time that somebody asks', async () => {
    const other = createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true })
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const known = places()
    expect(await known.find({ ...free, port })).toMatchObject({ code: 'EADDRINUSE' })
    other.close()
    await once(other, 'close')
    expect(await known.find({ ...free, port })).toEqual({ port, reusePort: true })
  })

  it('at the path of a dead Unix socket is cleared once: what is there later is the own one', async () => {
    const path = join(runtimeFolder(), 'left.sock')
    const known = places()
    const question = { ...free, path }
    await leaveSocket(path)
    expect(await known.find(question)).toEqual({ port: 0, reusePort: false })
    expect(existsSync(path)).toBe(false)
    // Bound, and not listened on yet: that is how node:cluster makes it.
    await leaveSocket(path)
    await known.find(question)
    expect(existsSync(path)).toBe(true)
  })

  it('are known no more where a dead Unix socket cannot be cleared, and that ends nobody', async () => {
    const path = join(runtimeFolder(), 'left.sock')
    const known = places()
    await leaveSocket(path)
    const denied = Object.assign(new Error('unlink EACCES'), { code: 'EACCES' })
    const unlink = vi.spyOn(files, 'unlink').mockRejectedValueOnce(denied)
    syncBuiltinESMExports()
    onTestFinished(() => {
      unlink.mockRestore()
      syncBuiltinESMExports()
    })
    const found = known.find({ ...free, path })
    const kept = known.keepOnly([])
    expect(await found).toEqual({ code: 'EACCES', message: 'unlink EACCES' })
    await kept
    expect(await known.find({ ...free, path })).toEqual({ port: 0, reusePort: false })
  })

  it('are looked for again when nobody listens there any more', async () => {
    const known = places()
    const found = await known.find(free)
    const port = 'port' in found ? found.port : -1
    const question = { ...free, port }
    const path = join(runtimeFolder(), 'left.sock')
    for (const each of [question, { ...free, path }]) await known.find(each)
    const other = createServer().listen({ port, host: '127.0.0.1', reusePort: true })
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    await leaveSocket(path)
    await known.keepOnly([{ url: `https://127.0.0.1:${port}` }, { url: `unix:${path}` }])
    expect(await known.find(question)).toMatchObject({ port })
    await known.find({ ...free, path })
    expect(existsSync(path)).toBe(true)
    await known.keepOnly([{ url: `http://127.0.0.1:1${port}` }])
    expect(await known.find(question)).toMatchObject({ code: 'EADDRINUSE' })
    await known.find({ ...free, path })
    expect(existsSync(path)).toBe(false)
  })

  it('cannot be on another machine', async () => {
    expect(await places().find({ ...free, host: '192.0.2.1' })).toMatchObject({ code: 'EADDRNOTAVAIL' })
  })
})
