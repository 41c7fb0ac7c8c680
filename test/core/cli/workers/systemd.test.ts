import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { get } from '../../../support/messages.ts'
import { RawClient } from '../../../support/raw-client.ts'
import { installRawhttp, workspace } from '../../config/workspace.ts'
import { activate } from '../activated.ts'
import { configOf } from '../reload-server.ts'
import { rawhttp } from '../run-cli.ts'
import { askAll, until } from './ask.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

it('workers share the sockets of systemd, also one that comes when all the others have ended', async () => {
  const config = configOf({ answer: 'process.pid' }).replace('listen: [{ port: 0 }], ', '')
  const cwd = workspace({ 'package.json': '{"type":"module"}', 'rawhttp.config.mjs': config })
  installRawhttp(cwd)
  const [port, path] = [await freePort(), join(cwd, 'x.sock')]
  const command = [...rawhttp, 'start', '--workers', '2']
  const running = await activate(command, cwd, { listen: [`127.0.0.1:${port}`, path] })
  const url = `http://127.0.0.1:${port}`
  const before = await askAll(url, 2)
  await running.line(new RegExp(`^rawhttp listening on ${url}$`))
  await running.line(new RegExp(`^rawhttp listening on unix:${path}$`))
  const byPath = async () => {
    await using client = await RawClient.open({ path })
    client.send(get())
    return (await client.response()).body.toString()
  }
  expect(before).toContain(await byPath())
  for (const pid of before) process.kill(Number(pid), 'SIGKILL')
  await until(async () => (await askAll(url, 2).catch(() => before)).every(pid => !before.includes(pid)))
  expect(before).not.toContain(await byPath())
  running.child.kill('SIGTERM')
  expect((await running.finished).code).toBe(0)
})
