import { describe, expect, it, onTestFinished } from 'vitest'
import { type ReloadServer, reloadServer } from '../core/cli/reload-server.ts'
import { launch } from '../core/cli/run-cli.ts'
import { installRawhttp, workspace } from '../core/config/workspace.ts'
import { get, post } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { turns } from '../support/turns.ts'

// The end of a server as its operator and a load balancer see it: the real command, real signals, and clients in the
// states that matter.

const config = (deadline: string, delay: string) => `
import { defineConfig, HttpResponse } from 'rawhttp'
import { health } from 'rawhttp/plugins/health'
import { router } from 'rawhttp/plugins/router'

const say = text => process.stderr.write(text + '\\n')

export default defineConfig({
  listen: [{ port: 0 }],
  stop: { deadline: '${deadline}' },
  plugins: [
    health({ delay: '${delay}' }),
    router({
      'GET /': () => 'hello',
      'POST /upload': async ({ request }) => (await request.body.text()).length + ' bytes',
      'GET /events': () =>
        HttpResponse.events(async function* ({ signal }) {
          yield 'first'
          await new Promise(resolve => signal.addEventListener('abort', resolve))
        }),
      'GET /stuck': () => {
        say('stuck')
        return new Promise(() => {})
      },
    }),
  ],
})
`

interface Times {
  readonly deadline: string
  readonly delay: string
}

const start = ({ deadline, delay }: Times, args: readonly string[]): Promise<ReloadServer> =>
  reloadServer({ 'rawhttp.config.mjs': config(deadline, delay) }, args)

async function connected(url: string): Promise<RawClient> {
  const client = await RawClient.connect(Number(new URL(url).port))
  onTestFinished(() => client[Symbol.asyncDispose]())
  // As clients do that see the end.
  client.socket.on('end', () => client.end())
  return client
}

/** The status of a path on a connection of its own; the system's code when there is no answer. */
async function statusOf(url: string, path: string): Promise<number | string> {
  try {
    await using client = await RawClient.connect(Number(new URL(url).port))
    client.send(get(path))
    return (await client.response()).status
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'lost'
  }
}

/** Asks until the answer is another one, and gives that. */
async function change(url: string, path: string, from: number): Promise<number | string> {
  for (;;) {
    const status = await statusOf(url, path)
    if (status !== from) return status
  }
}

/** When a process is no more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await turns(50)
  }
}

const cutLines = (stderr: string) => stderr.split('\n').filter(line => line.includes('DRAIN_CUT'))

describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
])('SIGTERM, with %s', { timeout: 60_000 }, (_, args) => {
  it('turns readiness, then closes the ports, finishes what is in flight, and exits with 0', async () => {
    const { url, running } = await start({ deadline: '50s', delay: '2s' }, args)
    const [idle, upload, events] = [await connected(url), await connected(url), await connected(url)]
    idle.send(get())
    await idle.response()
    upload.send(post('/upload', 'hello').slice(0, -2))
    events.send(get('/events'))
    await events.until('data: first\n\n')
    expect(await statusOf(url, '/readyz')).toBe(200)

    running.child.kill('SIGTERM')
    expect(await change(url, '/readyz', 200)).toBe(503)
    expect(await statusOf(url, '/')).toBe(200)
    idle.send(get())
    expect((await idle.response()).field('connection')).toBeUndefined()

    await idle.closed
    // Workers close their ports one after the other.
    while ((await statusOf(url, '/')) !== 'ECONNREFUSED') await turns(1)
    expect(await events.rest()).toMatch(/\r\nretry: \d+\n\n\r\n0\r\n\r\n$/)
    expect(running.child.exitCode).toBeNull()
    upload.send('lo')
    const response = await upload.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['5 bytes', 'close'])
    expect(await Promise.all([idle, upload, events].map(({ closed }) => closed))).toEqual([
      'end',
      'end',
      'end',
    ])
    const { code, stderr } = await running.finished
    expect([code, cutLines(stderr)]).toEqual([0, []])
  })

  it('cuts at the deadline of the config what is left, names it, and exits with 0', async () => {
    const { url, running } = await start({ deadline: '1s', delay: '200ms' }, args)
    const [stuck, idle] = [await connected(url), await connected(url)]
    stuck.send(get('/stuck'))
    await running.line(/^stuck$/)
    const { localPort } = stuck.socket
    running.child.kill('SIGTERM')
    await Promise.all([stuck.closed, idle.closed])
    const { code, stderr } = await running.finished
    expect([code, cutLines(stderr)]).toEqual([
      0,
      [
        expect.stringMatching(
          new RegExp(
            `^rawhttp: warning: the stop cut 127\\.0\\.0\\.1:${localPort} after \\d+\\.\\d s: plugin "router", handle tap "[^"]+" ` +
              'was at work \\(site "default"\\); GET /stuck \\(DRAIN_CUT\\)$',
          ),
        ),
      ],
    ])
  })

  it('that comes a second time ends everything at once, names it, and exits with 143', async () => {
    const { url, running } = await start({ deadline: '50s', delay: '40s' }, args)
    const [stuck, idle] = [await connected(url), await connected(url)]
    stuck.send(get('/stuck'))
    await running.line(/^stuck$/)
    running.child.kill('SIGTERM')
    // Each signal is seen for itself only when the one before was.
    await change(url, '/readyz', 200)
    running.child.kill('SIGTERM')
    await Promise.all([stuck.closed, idle.closed])
    const { code, stderr } = await running.finished
    expect(code).toBe(143)
    expect(cutLines(stderr)).toEqual([expect.stringContaining('GET /stuck')])
  })

  it('while the server starts ends it at once, and exits with 0', async () => {
    const cwd = workspace({
      'package.json': '{"type":"module"}',
      'rawhttp.config.mjs': `
import { definePlugin } from 'rawhttp'
const slow = definePlugin({
  name: 'slow',
  server({ hooks }) {
    hooks.start.tapPromise('slow', async () => {
      process.stderr.write('starting ' + process.pid + '\\n')
      await new Promise(resolve => setTimeout(resolve, 1_000_000))
    })
  },
})
export default { listen: [{ port: 0 }], plugins: [slow()] }
`,
    })
    installRawhttp(cwd)
    const running = launch(['start', ...args], { cwd })
    const pid = Number((await running.line(/^starting /)).slice('starting '.length))
    running.child.kill('SIGTERM')
    expect((await running.finished).code).toBe(0)
    await gone(pid)
  })
})
