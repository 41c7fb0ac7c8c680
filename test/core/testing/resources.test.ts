import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { unwatchFile, watch, watchFile } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { Resources } from '../../../core/testing/resources.ts'
import { comesTrue } from '../../../core/testing/turns.ts'

/** What is open after something was opened, and once it is closed. */
async function around(begin: () => unknown | Promise<unknown>, end: (opened: never) => unknown) {
  const resources = new Resources()
  let open: string[] = []
  await resources.track(async () => {
    const opened = await begin()
    await comesTrue(() => resources.open().length > 0, 5_000)
    open = resources.open()
    await end(opened as never)
    await comesTrue(() => resources.open().length === 0, 5_000)
  })
  return { open, left: resources.open() }
}

const here = import.meta.filename
type Closing = { close(): void }
const close = (opened: Closing) => opened.close()
const listening = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

describe('is seen until it is closed:', () => {
  test.each<[string, string, () => unknown, (opened: never) => unknown]>([
    ['a timer', 'a timer, opened at', () => setInterval(() => undefined, 1_000), clearInterval as never],
    [
      'one that is not waited for',
      'a timer',
      () => setTimeout(() => undefined, 1e6).unref(),
      clearTimeout as never,
    ],
    ['a server', 'a TCP server', listening, close],
    ['a watcher', 'a watcher of a file', () => watch(here), close],
    ['a watcher that looks', 'a watcher of a file', () => watchFile(here, () => 0), () => unwatchFile(here)],
    ['a file', `the file ${here}`, () => open(here), close],
    [
      'a child process',
      'a child process',
      () =>
        spawn(process.execPath, ['-e', 'setTimeout(() => 0, 20000)'], { stdio: 'ignore', timeout: 30_000 }),
      (child: ReturnType<typeof spawn>) => {
        child.kill('SIGKILL')
        return once(child, 'exit')
      },
    ],
    [
      'a worker',
      'a worker',
      () => new Worker('setInterval(() => 0, 1000)', { eval: true }),
      (worker: Worker) => worker.terminate(),
    ],
    [
      'a listener to the process',
      'a listener to "beforeExit" of the process',
      () => process.on('beforeExit', close),
      () => process.off('beforeExit', close),
    ],
  ])('%s', async (_, sentence, begin, end) => {
    const { open, left } = await around(begin, end)
    expect(open.join('\n')).toContain(sentence)
    expect(left).toEqual([])
  })

  test('a connection', async () => {
    const server = await listening()
    const { port } = server.address() as { port: number }
    const { open } = await around(
      () => connect(port, '127.0.0.1'),
      socket => (socket as Closing & { destroy(): void }).destroy(),
    )
    server.close()
    expect(open.join()).toContain('a TCP socket')
  })
})

test('what somebody else opens meanwhile is not seen', async () => {
  const resources = new Resources()
  let mine = () => undefined as unknown
  const elsewhere = new Promise<void>(resolve => {
    mine = () => resolve()
  }).then(() => setInterval(() => undefined, 1_000))
  await resources.track(async () => {
    mine()
    await new Promise(resolve => setImmediate(resolve))
  })
  clearInterval(await elsewhere)
  expect(resources.open()).toEqual([])
})

test('the timer of a signal is not seen, since it ends with the signal', async () => {
  const resources = new Resources()
  const signals: AbortSignal[] = []
  await resources.track(async () => void signals.push(AbortSignal.timeout(60_000)))
  expect(resources.open()).toEqual([])
  expect(signals).toHaveLength(1)
})

test('it says where something was opened', async () => {
  const { open } = await around(() => setInterval(() => undefined, 1_000), clearInterval as never)
  expect(open[0]).toMatch(/^a timer, opened at .*resources\.test\.ts:\d+/)
})

test('of what was open before, only what is more is told', async () => {
  const resources = new Resources()
  const timers: NodeJS.Timeout[] = []
  const add = () => void timers.push(setInterval(() => undefined, 1_000))
  await resources.track(async () => {
    for (let time = 0; time < 2; time++) add()
    const before = resources.open()
    for (let time = 0; time < 3; time++) add()
    expect(resources.grownSince(before)).toHaveLength(3)
    clearInterval(timers.pop())
    expect(await comesTrue(() => resources.grownSince(before).length === 2, 5_000)).toBe(true)
  })
  for (const timer of timers) clearInterval(timer)
})
