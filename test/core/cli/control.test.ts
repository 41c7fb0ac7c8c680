import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ask, openControl } from '../../../core/cli/control.ts'
import { RawClient } from '../../support/raw-client.ts'
import { runtimeFolder } from './reload-server.ts'

const commands = { reload: async () => ({ code: 78, text: 'broken\n' }) }

async function opened(path = join(runtimeFolder(), 'c.sock')): Promise<string> {
  const control = await openControl(path, commands)
  onTestFinished(() => control.close())
  return path
}

/** A socket file that a process has left which is dead. */
function stale(): string {
  const path = join(runtimeFolder(), 'c.sock')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
  expect(lstatSync(path).isSocket()).toBe(true)
  return path
}

describe('a control socket', () => {
  it('answers a command with what came of it', async () => {
    expect(await ask(await opened(), 'reload', 5_000)).toEqual({ code: 78, text: 'broken\n' })
  })

  it('is for this user only, from the first moment on', async () => {
    const mask = process.umask(0)
    onTestFinished(() => void process.umask(mask))
    expect(lstatSync(await opened()).mode & 0o777).toBe(0o600)
    expect(process.umask()).toBe(0)
  })

  it('takes its file away when it closes', async () => {
    const control = await openControl(join(runtimeFolder(), 'c.sock'), commands)
    control.close()
    expect(existsSync(control.path)).toBe(false)
    await expect(ask(control.path, 'reload', 5_000)).rejects.toThrow('is one running?')
  })

  it('takes the place of the one that a dead process has left', async () => {
    const path = stale()
    await expect(ask(path, 'reload', 5_000)).rejects.toThrow(
      'the server that had this control socket is gone',
    )
    expect(await ask(await opened(path), 'reload', 5_000)).toMatchObject({ code: 78 })
  })

  it('leaves alone one that somebody answers at', async () => {
    const path = await opened()
    await expect(openControl(path, {})).rejects.toThrow(`another server has ${path}`)
    expect(await ask(path, 'reload', 5_000)).toMatchObject({ code: 78 })
  })

  it.each([
    ['a file', (path: string) => writeFileSync(path, 'precious')],
    ['a link to a socket', (path: string) => symlinkSync(stale(), path)],
    ['a link that leads nowhere', (path: string) => symlinkSync(join(dirname(path), 'none'), path)],
  ])('leaves alone what is none: %s', async (_, make) => {
    const path = join(runtimeFolder(), 'c.sock')
    make(path)
    const before = lstatSync(path)
    await expect(openControl(path, commands)).rejects.toThrow(`${path} is no socket`)
    expect(lstatSync(path).ino).toBe(before.ino)
    expect(existsSync(join(dirname(path), 'none'))).toBe(false)
  })

  it.each([
    ['that others may write to', 0o777, 'others may write to '],
    ['that a group may write to', 0o770, 'others may write to '],
  ])('is not opened in a folder %s', async (_, mode, sentence) => {
    const folder = runtimeFolder()
    chmodSync(folder, mode)
    await expect(openControl(join(folder, 'c.sock'), commands)).rejects.toThrow(sentence + folder)
    chmodSync(folder, 0o1777)
    await opened(join(folder, 'c.sock'))
  })

  it('is not opened where there is no folder', async () => {
    const folder = join(runtimeFolder(), 'none')
    await expect(openControl(join(folder, 'c.sock'), commands)).rejects.toThrow(`${folder} is no folder`)
  })
})

describe('what a control socket is asked', () => {
  it.each([
    [
      'another version',
      '{"rawhttp":2,"command":"reload"}',
      'this server speaks version 1 of the control protocol',
    ],
    ['no JSON', 'GET / HTTP/1.1', 'this server speaks version 1'],
    ['a list', '[1]', 'this server speaks version 1'],
    ['another command', '{"rawhttp":1,"command":"purge"}', 'this server can be asked to reload'],
    ['what every object has', '{"rawhttp":1,"command":"toString"}', 'this server can be asked to reload'],
  ])('is refused with a sentence and code 2: %s', async (_, line, sentence) => {
    await using client = await RawClient.open({ path: await opened() })
    client.send(`${line}\n`)
    const answer = JSON.parse(await client.rest()) as object
    expect(answer).toEqual({ rawhttp: 1, code: 2, text: expect.stringContaining(sentence) })
  })

  it('may have keys that nobody knows yet, and come in pieces from a client that ends behind it', async () => {
    await using client = await RawClient.open({ path: await opened() })
    await client.sendSplit('{"rawhttp":1,"command":"reload","soft":true}\n')
    client.end()
    expect(JSON.parse(await client.rest())).toMatchObject({ code: 78 })
  })

  it('is not read without end', async () => {
    await using client = await RawClient.open({ path: await opened() })
    client.send('x'.repeat(5_000))
    expect(await client.rest()).toBe('')
  })

  it('must come within 5 s', async () => {
    const path = await opened()
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const client = connect(path)
    const closed = new Promise(resolve => client.once('close', resolve))
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1))
    vi.advanceTimersByTime(5_000)
    await closed
  })
})

describe('who asks', () => {
  const server = async (answer: string) => {
    const path = join(runtimeFolder(), 'c.sock')
    const other = createServer(socket => socket.on('error', () => undefined).end(answer))
    await new Promise<void>(resolve => other.listen(path, resolve))
    onTestFinished(() => void other.close())
    return path
  }

  it.each([
    ['something else', 'hello\n', 'what answers there is no server of rawhttp'],
    ['somebody who goes away', '', 'the connection ended before an answer'],
    ['somebody without end', 'x'.repeat(2_000_000), 'the line is too long'],
  ])('is told that there is %s', async (_, answer, sentence) => {
    await expect(ask(await server(answer), 'reload', 5_000)).rejects.toThrow(sentence)
  })

  it('does not wait for ever', async () => {
    const path = join(runtimeFolder(), 'c.sock')
    const control = await openControl(path, { reload: () => new Promise(() => undefined) })
    onTestFinished(() => control.close())
    await expect(ask(path, 'reload', 50)).rejects.toThrow('no answer within 0.05 s')
  })
})
