import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { get } from '../../../support/messages.ts'
import { RawClient } from '../../../support/raw-client.ts'
import { installRawhttp, workspace } from '../../config/workspace.ts'
import { configOf, reloadServer, runtimeFolder } from '../reload-server.ts'
import { launch, ready, run } from '../run-cli.ts'
import { ask, askAll, until } from './ask.ts'

const tellsProcess = { 'rawhttp.config.mjs': configOf({ answer: 'process.pid' }) }

function folder(files: Readonly<Record<string, string>> = tellsProcess): string {
  const cwd = workspace({ 'package.json': '{"type":"module"}', ...files })
  installRawhttp(cwd)
  return cwd
}

/** Has a system say that it cannot share a port: what Node says on those that cannot. */
const withoutReusePort = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`
import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function (options, ...rest) {
  if (options?.reusePort !== true) return listen.call(this, options, ...rest)
  const error = Object.assign(new Error('listen ENOTSUP'), { code: 'ENOTSUP' })
  process.nextTick(() => this.emit('error', error))
  return this
}`)}`,
}

describe('workers', () => {
  it.each([
    { where: 'each having a socket of its own', env: {} },
    { where: 'of the primary where the system cannot do otherwise', env: withoutReusePort },
  ])('share one free port, $where', async ({ env }) => {
    const { url, running, write, reload } = await reloadServer(tellsProcess, ['--workers', '2'], env)
    const pids = await askAll(url, 2)
    expect(pids).not.toContain(String(running.child.pid))
    write({ 'rawhttp.config.mjs': configOf({ answer: "'new'" }) })
    expect((await reload()).code).toBe(0)
    await until(async () => (await ask(url)) === 'new')
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.finished
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(`^rawhttp listening on ${url}\nrawhttp: reloaded`),
    ])
    expect(stderr.split('\n')).toHaveLength(3)
  })

  it('share a Unix socket, are as many as the variable says, and tell no child that it is one', async () => {
    const path = join(runtimeFolder(), 'site.sock')
    const answer = "process.pid + ' ' + Object.keys(process.env).join(' ')"
    const config = configOf({ answer }).replace('{ port: 0 }', JSON.stringify({ path }))
    const cwd = folder({ 'rawhttp.config.mjs': config })
    const running = launch(['start'], { cwd, env: { RAWHTTP_WORKERS: '2' } })
    expect(await ready(running)).toBe(`unix:${path}`)
    const pids = new Set<string>()
    await until(async () => {
      await using client = await RawClient.open({ path })
      client.send(get())
      const [pid, ...names] = (await client.response()).body.toString().split(' ')
      expect(names.filter(name => /WORKER_NUMBER|NODE_UNIQUE_ID/.test(name))).toEqual([])
      return pids.add(pid!).size === 2
    })
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
