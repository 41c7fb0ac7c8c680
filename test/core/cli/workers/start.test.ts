import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RawClient } from '../../../support/raw-client.ts'
import { installRawhttp, workspace } from '../../config/workspace.ts'
import { configOf, reloadServer, runtimeFolder } from '../reload-server.ts'
import { launch, ready, run } from '../run-cli.ts'
import { ask, askAll } from './ask.ts'

const tellsProcess = { 'rawhttp.config.mjs': configOf({ answer: 'process.pid' }) }

function folder(files: Readonly<Record<string, string>> = tellsProcess): string {
  const cwd = workspace({ 'package.json': '{"type":"module"}', ...files })
  installRawhttp(cwd)
  return cwd
}

describe('workers', () => {
  it.each([[[]], [['--rolling']]])('share one free port, with flags %j', async flags => {
    const server = await reloadServer(tellsProcess, ['--workers', '3', ...flags])
    const pids = await askAll(server.url, 3)
    expect(pids).not.toContain(String(server.running.child.pid))
    server.running.child.kill('SIGTERM')
    const { code, stderr } = await server.running.finished
    expect([code, stderr]).toEqual([0, `rawhttp listening on ${server.url}\n`])
  })

  it('share a Unix socket', async () => {
    const path = join(runtimeFolder(), 'site.sock')
    const config = configOf({ answer: 'process.pid' }).replace('{ port: 0 }', JSON.stringify({ path }))
    const running = launch(['start', '--workers', '2'], { cwd: folder({ 'rawhttp.config.mjs': config }) })
    expect(await ready(running)).toBe(`unix:${path}`)
    const pids = new Set<string>()
    for (let i = 0; pids.size < 2 && i < 2_000; i++) {
      const client = await RawClient.open({ path })
      client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      await client.closed
      pids.add(client.received.split('\r\n\r\n')[1]!)
    }
    expect(pids.size).toBe(2)
  })

  it('are as many as the variable says', async () => {
    const running = launch(['start'], { cwd: folder(), env: { RAWHTTP_WORKERS: '2' } })
    expect(await askAll(await ready(running), 2)).toHaveLength(2)
  })

  it('do not tell their children that they are workers too', async () => {
    const server = await reloadServer(
      { 'rawhttp.config.mjs': configOf({ answer: "Object.keys(process.env).join(' ')" }) },
      ['--workers', '1'],
    )
    expect(await ask(server.url)).not.toMatch(/WORKER|NODE_UNIQUE_ID/)
  })

  it('find a port that others have taken, who may share theirs', async () => {
    const other = createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true })
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const { code, stderr } = await run(['start', '--workers', '2', '--port', String(port)], { cwd: folder() })
    expect(code).toBe(1)
    expect(stderr).toBe(
      `rawhttp: 127.0.0.1:${port} is in use already: stop what runs there, or choose another port with --port (0 picks a free one)\n`,
    )
  })

  it('tell a mistake in the config once', async () => {
    const cwd = folder({ 'rawhttp.config.mjs': 'export default { lissten: [] }' })
    const { code, stderr } = await run(['start', '--workers', '3'], { cwd })
    expect(code).toBe(78)
    expect(stderr.match(/lissten/g)).toHaveLength(1)
  })

  it('that end before they serve end the start with their code', async () => {
    const cwd = folder({ 'rawhttp.config.mjs': 'process.exit(5)' })
    const { code, stderr } = await run(['start', '--workers', '2'], { cwd })
    expect(code).toBe(5)
    expect(stderr).toMatch(/^rawhttp: worker 1 \(\d+\) ended with code 5 before it served\n$/)
  })

  it('whose config waits for what never comes end the start', async () => {
    const cwd = folder({ 'rawhttp.config.mjs': 'await new Promise(() => undefined)' })
    const { code, stderr } = await run(['start', '--workers', '2'], { cwd })
    expect(code).toBe(78)
    expect(stderr).toContain('never ends')
  })
})
