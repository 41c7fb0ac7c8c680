import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Notifier, takeNotifier, watchdogTime } from '../../../core/cli/notify.ts'
import { needTool } from '../../support/tools.ts'
import { installRawhttp, workspace } from '../config/workspace.ts'
import { launch, ready } from './run-cli.ts'

const addresses = [{ url: 'http://127.0.0.1:8080' }, { url: 'unix:/run/x.sock' }]

/** A notifier that writes down what it was to send. */
function recording(watchdog = 0) {
  const sent: (readonly string[])[] = []
  const notifier = new Notifier(async assignments => void sent.push(assignments), watchdog)
  return { sent, notifier }
}

describe('systemd is told', () => {
  it('where the server listens, once it does', async () => {
    const { sent, notifier } = recording()
    notifier.ready(() => addresses)
    await vi.waitFor(() =>
      expect(sent).toEqual([['READY=1', 'STATUS=listening on http://127.0.0.1:8080, unix:/run/x.sock']]),
    )
  })

  it('of a stop before it begins, and the stop has its deadline', async () => {
    const { sent, notifier } = recording()
    const stops: unknown[] = []
    const server = notifier.stopping({ stop: async options => void stops.push(options) })
    await server.stop({ deadline: 5 })
    expect(stops).toEqual([{ deadline: 5 }])
    expect(sent).toEqual([['STOPPING=1', 'STATUS=finishing what is in flight']])
  })

  it.each([
    ['succeeds', async () => 'done'],
    ['fails', () => Promise.reject(new Error('no'))],
  ])(
    'when a reload begins and ends, with its time by the clock that systemd has, when it %s',
    async (_, work) => {
      const { sent, notifier } = recording()
      let where = addresses
      notifier.ready(() => where)
      where = [{ url: 'http://127.0.0.1:9090' }]
      const before = process.hrtime.bigint() / 1000n
      await notifier.reloading(work).catch(error => expect(error.message).toBe('no'))
      await vi.waitFor(() => expect(sent).toHaveLength(3))
      const [, time] = /^MONOTONIC_USEC=(\d+)$/.exec(sent[1]![1]!)!
      expect([sent[1]![0], sent[2]]).toEqual([
        'RELOADING=1',
        ['READY=1', 'STATUS=listening on http://127.0.0.1:9090'],
      ])
      expect(BigInt(time!)).toBeGreaterThanOrEqual(before)
      expect(BigInt(time!)).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n)
    },
  )

  it('of the end of reloads when the last one that was asked for has ended', async () => {
    const { sent, notifier } = recording()
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const reloads = [first, second].map(({ promise }) => notifier.reloading(() => promise))
    first.resolve()
    await reloads[0]
    // Told behind all that was told before.
    const third = notifier.reloading(async () => undefined)
    second.resolve()
    await Promise.all([...reloads, third])
    await vi.waitFor(() => expect(sent.at(-1)![0]).toBe('READY=1'))
    const words = ['RELOADING=1', 'RELOADING=1', 'RELOADING=1', 'READY=1']
    expect(sent.map(([word]) => word)).toEqual(words)
  })

  it('one thing after the other, however long each takes', async () => {
    const sent: string[] = []
    const first = Promise.withResolvers<void>()
    const notifier = new Notifier(async ([word]) => {
      if (word === 'READY=1') await first.promise
      sent.push(word!)
    })
    notifier.ready(() => addresses)
    const stop = notifier.stopping({ stop: async () => undefined }).stop()
    first.resolve()
    await stop
    await vi.waitFor(() => expect(sent).toEqual(['READY=1', 'STOPPING=1']))
  })

  it('of no reload that begins or ends behind a stop: it would be ready again', async () => {
    const { sent, notifier } = recording()
    const held = Promise.withResolvers<void>()
    const reload = notifier.reloading(() => held.promise)
    const server = notifier.stopping({ stop: async () => undefined })
    await server.stop()
    held.resolve()
    await reload
    expect(await notifier.reloading(async () => 'done')).toBe('done')
    // Told behind all that was told before.
    await server.stop()
    await vi.waitFor(() => expect(sent).toHaveLength(3))
    expect(sent.map(([word]) => word)).toEqual(['RELOADING=1', 'STOPPING=1', 'STOPPING=1'])
  })

  it('twice in its watchdog time that the process is alive', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { sent, notifier } = recording(10_000)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toEqual([])
    notifier.ready(() => addresses)
    await vi.advanceTimersByTimeAsync(14_999)
    expect(sent.slice(1)).toEqual([['WATCHDOG=1'], ['WATCHDOG=1']])
  })

  it('nothing when it did not ask, and reloads and stops go on as ever', async () => {
    const notifier = takeNotifier({ PATH: '/nowhere', WATCHDOG_USEC: '1000' })
    expect(await notifier.reloading(async () => 'done')).toBe('done')
    await notifier.stopping({ stop: async () => undefined }).stop()
    const cwd = workspace({ 'public/index.html': 'hello' })
    const running = launch(['start', '--port', '0'], { cwd, env: { PATH: '/nowhere' } })
    await ready(running)
    running.child.kill('SIGTERM')
    expect((await running.finished).stderr).not.toContain('systemd')
  })
})

describe('the variables of systemd', () => {
  it.each([
    ['1000000', undefined, 1000],
    ['1000000', '4711', 1000],
    ['1000000', '1', 0],
    ['0', '4711', 0],
    ['soon', '4711', 0],
    [undefined, '4711', 0],
  ])(
    'WATCHDOG_USEC=%s and WATCHDOG_PID=%s want a sign of life of process 4711 within %d ms',
    (usec, pid, time) => {
      expect(watchdogTime({ WATCHDOG_USEC: usec, WATCHDOG_PID: pid }, 4711)).toBe(time)
    },
  )

  it('are taken away, so that no child speaks in the name of the server', () => {
    const env = { PATH: '/bin', NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' }
    takeNotifier(env)
    expect(env).toEqual({ PATH: '/bin' })
  })
})

/** Receives datagrams as systemd does, and prints each as a line of JSON. */
const receiver = `
import json, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print('bound', flush=True)
while True:
    text = server.recv(4096).decode()
    if text != 'BARRIER=1': print(json.dumps(text.split('\\n')), flush=True)
`

async function receive(path: string): Promise<{ next(): Promise<string[]> }> {
  const python = needTool('python3', 'python3')
  const child = spawn(python, ['-c', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  return { next: async () => JSON.parse((await lines.next()).value ?? '') }
}

describe('a server that systemd starts with Type=notify', () => {
  /** Its stop lasts until SIGUSR2: what comes at the very end of a process may not be told any more. */
  const config = `
    import { once } from 'node:events'
    import { definePlugin } from 'rawhttp'
    const slow = definePlugin({ name: 'slow', server: ({ hooks }) =>
      hooks.stop.tapPromise('slow', () => once(process, 'SIGUSR2')) })
    export default { listen: [{ port: 0 }], plugins: [slow] }`
  const serving = async (env: Record<string, string>) => {
    needTool('systemd-notify', 'systemd')
    const cwd = workspace({ 'rawhttp.config.mjs': config })
    installRawhttp(cwd)
    const path = join(cwd, 'notify.sock')
    const systemd = await receive(path)
    const running = launch(['start'], { cwd, env: { NOTIFY_SOCKET: path, ...env } })
    return { systemd, running, url: await ready(running) }
  }

  it('says when it is ready, when it reloads, and when it stops', async () => {
    const { systemd, running, url } = await serving({})
    const isReady = ['READY=1', `STATUS=listening on ${url}`]
    expect(await systemd.next()).toEqual(isReady)
    running.child.kill('SIGHUP')
    expect(await systemd.next()).toEqual(['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/)])
    await running.line(/reloaded/)
    expect(await systemd.next()).toEqual(isReady)
    running.child.kill('SIGTERM')
    expect(await systemd.next()).toEqual(['STOPPING=1', 'STATUS=finishing what is in flight'])
    running.child.kill('SIGUSR2')
    expect((await running.finished).code).toBe(0)
  })

  it('shows signs of life when systemd wants them', async () => {
    const { systemd } = await serving({ WATCHDOG_USEC: '200000' })
    await systemd.next()
    expect([await systemd.next(), await systemd.next()]).toEqual([['WATCHDOG=1'], ['WATCHDOG=1']])
  })

  it('says once, in one line, that it could not tell, and serves', async () => {
    const cwd = workspace({ 'public/index.html': 'hello' })
    const env = { PATH: '/nowhere', NOTIFY_SOCKET: join(cwd, 'none.sock') }
    const running = launch(['start', '--port', '0'], { cwd, env })
    const url = await ready(running)
    await running.line(/systemd is not told/)
    expect(await (await fetch(url)).text()).toBe('hello')
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.finished
    expect([code, stderr.split('\n').filter(line => line.includes('systemd'))]).toEqual([
      0,
      [
        'rawhttp: systemd is not told how the server is: spawn systemd-notify ENOENT; without it, Type=exec fits',
      ],
    ])
  })
})
