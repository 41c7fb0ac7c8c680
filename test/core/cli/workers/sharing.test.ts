import { once } from 'node:events'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { Agent, request as send } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shakeHands } from '../../../plugins/tls/client.ts'
import { issue } from '../../../plugins/tls/issue.ts'
import { get, post } from '../../../support/messages.ts'
import { exchangeBytes } from '../../../support/raw-client.ts'
import { configOf, type ReloadServer, reloadServer } from '../reload-server.ts'
import { ask, askAll, until } from './ask.ts'

interface Shared {
  readonly plugins: string
  readonly imports: string
  readonly answer?: string
  readonly top?: string
}

/** A server with workers, and these plugins before the one that answers. */
function serving(
  { plugins, imports, answer = 'process.pid', top }: Shared,
  args: readonly string[] = ['--workers', '2'],
  files: Readonly<Record<string, string>> = {},
): Promise<ReloadServer> {
  const config = configOf({ answer, imports, ...(top === undefined ? {} : { top }) })
  const isSecured = plugins.startsWith('tls')
  const text = config
    .replace('plugins: [', `plugins: [${plugins}, `)
    .replace('{ port: 0 }', `{ port: 0, tls: ${isSecured} }`)
  return reloadServer({ 'rawhttp.config.mjs': text, ...files }, args)
}

describe('workers share', () => {
  it('the keys of session tickets, also with one that comes later', async () => {
    const { cert, key } = await issue()
    const { url, running } = await serving(
      {
        plugins: "tls({ cert: './cert.pem', key: './key.pem' })",
        imports: "import { tls } from 'rawhttp/plugins/tls'",
      },
      undefined,
      { 'cert.pem': cert, 'key.pem': key },
    )
    const connect = async (session?: Buffer) => {
      await using client = await shakeHands(Number(new URL(url).port), {
        ca: cert,
        ...(session === undefined ? {} : { session }),
      })
      client.http.send(get('/', 'Connection: close'))
      const pid = (await client.http.response()).body.toString()
      const isReused = client.tls.isSessionReused()
      return { pid, isReused, ticket: isReused ? null : await client.session }
    }
    const { pid: first, ticket } = await connect()
    const resumedBy = async (isWanted: (pid: string) => boolean) => {
      let last = ''
      await until(async () => {
        const { pid, isReused } = await connect(ticket!)
        expect(isReused).toBe(true)
        last = pid
        return isWanted(pid)
      })
      return last
    }
    const second = await resumedBy(pid => pid !== first)
    process.kill(Number(first), 'SIGKILL')
    await running.line(/another one starts/)
    await resumedBy(pid => pid !== first && pid !== second)
  })

  it('what is purged, and what requests have changed', async () => {
    const cached = `
let count = 0
function answerOf(request) {
  if (request.path === '/purge') return request.site.get(Slots.cache).purge('/')
  return HttpResponse.text(process.pid + '-' + count++).set('cache-control', 'max-age=600')
}`
    const { url } = await serving({
      plugins: 'cache()',
      imports: "import { cache } from 'rawhttp/plugins/cache'\nimport { Slots } from 'rawhttp'",
      top: cached,
      answer: 'answerOf(request)',
    })
    const first = await askAll(url, 2)
    expect(await askAll(url, 2)).toEqual(first)
    await ask(url, '/purge')
    const purged = async (before: readonly string[]) => {
      await until(async () => {
        const now = await askAll(url, 2)
        return now.length === 2 && !now.some(answer => before.includes(answer))
      })
      return await askAll(url, 2)
    }
    const second = await purged(first)
    await exchangeBytes(Number(new URL(url).port), post('/', 'new', 'Connection: close'))
    await purged(second)
  })

  it('figures: whoever is asked tells the sum', async () => {
    const { url } = await serving({
      plugins: 'metrics()',
      imports: "import { metrics } from 'rawhttp/plugins/metrics'",
    })
    const counts = new Map<string, number>()
    while (counts.size < 2) {
      const pid = await ask(url)
      counts.set(pid, (counts.get(pid) ?? 0) + 1)
    }
    const asked = [...counts.values()].reduce((sum, count) => sum + count, 0)
    const line = /^http_requests_total\{.*route="none".*status_class="2xx".*\} (\d+)$/m
    for (let i = 0; i < 10; i++) {
      const text = await ask(url, '/metrics')
      expect(Number(line.exec(text)?.[1])).toBe(asked)
      expect(text.match(/^# TYPE http_requests_total /gm)).toHaveLength(1)
    }
  })

  it('one log, whose lines are whole on a pipe, the longest too', async () => {
    const server = await serving(
      {
        plugins: "accessLog({ format: 'json' })",
        imports: "import { accessLog } from 'rawhttp/plugins/access-log'",
      },
      ['--workers', '4'],
    )
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const fields = (size: number) => ({
      'user-agent': 'u'.repeat(size),
      referer: `http://a/${'r'.repeat(size)}`,
    })
    const one = async (number: number) => {
      const path = `/${number}/${'x'.repeat(number % 5_000)}`
      const request = send(server.url + path, { agent, headers: fields(number % 1_500) }).end()
      const [response] = await once(request, 'response')
      await once(response.resume(), 'end')
    }
    let next = 0
    const client = async () => {
      while (next < 4_000) await one(next++)
    }
    await Promise.all(Array.from({ length: 16 }, client))
    agent.destroy()
    server.running.child.kill('SIGTERM')
    const { stdout } = await server.running.finished
    const lines = stdout.split('\n').slice(0, -1)
    const numbers = lines.map(line => Number(/^\/(\d+)\//.exec(JSON.parse(line).target)?.[1]))
    expect(Math.max(...lines.map(({ length }) => length + 1))).toBeLessThanOrEqual(4_096)
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 4_000 }, (_, number) => number))
  })

  it('one log file, which all open anew at SIGUSR2', async () => {
    const { url, cwd, running } = await serving({
      plugins: "accessLog({ format: '{path}', file: './access.log' })",
      imports: "import { accessLog } from 'rawhttp/plugins/access-log'",
    })
    await askAll(url, 2, '/before')
    const [old, log] = [join(cwd, 'old.log'), join(cwd, 'access.log')]
    renameSync(log, old)
    running.child.kill('SIGUSR2')
    let count = 0
    // Lines come late, and a worker may open its log a moment after the other.
    await until(async () => {
      await askAll(url, 2, `/after/${count++}`)
      return existsSync(log) && readFileSync(log, 'utf8') !== ''
    })
    await askAll(url, 2, '/last')
    running.child.kill('SIGTERM')
    await running.finished
    expect(linesOf(old)).not.toContain('/last')
    expect(linesOf(log).filter(line => line === '/last').length).toBeGreaterThanOrEqual(2)
  })
})

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)
