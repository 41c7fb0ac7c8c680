import { once } from 'node:events'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { Agent, request as send } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shakeHands } from '../../../plugins/tls/client.ts'
import { issue } from '../../../plugins/tls/issue.ts'
import { get, post } from '../../../support/messages.ts'
import { exchangeBytes } from '../../../support/raw-client.ts'
import { inCommon } from '../../../support/when-over.ts'
import { configOf, reloadServer } from '../reload-server.ts'
import { ask, askAll, until } from './ask.ts'

const top = `
let count = 0
function answerOf(request) {
  if (request.path === '/purge') return request.site.get(Slots.cache).purge('/cached')
  if (request.path !== '/cached') return process.pid
  return HttpResponse.text(process.pid + '-' + count++).set('cache-control', 'max-age=600')
}`
const imports = `
import { Slots } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { metrics } from 'rawhttp/plugins/metrics'
import { tls } from 'rawhttp/plugins/tls'`

/** A config with these plugins before the one that answers. */
const configWith = (plugins: string, listen: string): string =>
  configOf({ top, imports, answer: 'answerOf(request)' })
    .replace('plugins: [', `plugins: [${plugins}, `)
    .replace('{ port: 0 }', listen)

const areOthers = (answers: readonly string[], before: readonly string[]) =>
  !answers.some(answer => before.includes(answer))

describe('workers share', () => {
  const server = inCommon(async () => {
    const { cert, key } = await issue()
    const log = "accessLog({ format: '{path}', file: './access.log' })"
    const plugins = `tls({ cert: './cert.pem', key: './key.pem' }), cache(), metrics(), ${log}`
    const config = configWith(plugins, '{ port: 0 }, { port: 0, tls: true }')
    const files = { 'rawhttp.config.mjs': config, 'cert.pem': cert, 'key.pem': key }
    return { cert, ...(await reloadServer(files, ['--workers', '2'])) }
  })

  it('what is purged, and what requests have changed', async () => {
    const { url } = server()
    const first = await askAll(url, 2, '/cached')
    expect(await askAll(url, 2, '/cached')).toEqual(first)
    const replaced = async (before: readonly string[]) => {
      await until(async () => areOthers(await askAll(url, 2, '/cached'), before))
      return await askAll(url, 2, '/cached')
    }
    await ask(url, '/purge')
    const second = await replaced(first)
    await exchangeBytes(Number(new URL(url).port), post('/cached', 'new', 'Connection: close'))
    await replaced(second)
  })

  it('figures: whoever is asked tells the sum', async () => {
    const { url } = server()
    const line = /^http_requests_total\{.*route="none".*status_class="2xx".*\} (\d+)$/m
    const told = async () => {
      const text = await ask(url, '/metrics')
      expect(text.match(/^# TYPE http_requests_total /gm)).toHaveLength(1)
      return Number(line.exec(text)?.[1] ?? 0)
    }
    const before = await told()
    const pids = new Set<string>()
    let asked = 0
    while (pids.size < 2) {
      pids.add(await ask(url))
      asked++
    }
    for (let i = 0; i < 10; i++) expect(await told()).toBe(before + asked)
  })

  it('one log file, which all open anew at SIGUSR2', async () => {
    const { url, cwd, running } = server()
    const [old, log] = [join(cwd, 'old.log'), join(cwd, 'access.log')]
    await askAll(url, 2, '/before')
    renameSync(log, old)
    running.child.kill('SIGUSR2')
    let count = 0
    // Lines come late, and a worker may open its log a moment after the other.
    await until(async () => {
      await askAll(url, 2, `/after/${count++}`)
      return linesOf(log).length > 0
    })
    const pids = await askAll(url, 2, '/last')
    await until(() => linesOf(log).filter(line => line === '/last').length >= pids.length)
    expect(linesOf(old)).not.toContain('/last')
  })

  it('the keys of session tickets, also with one that comes later', async () => {
    const { cert, running } = server()
    const secured = await running.line(/listening on https:/)
    const port = Number(/\d+$/.exec(secured)?.[0])
    const connect = async (session?: Buffer) => {
      await using client = await shakeHands(port, { ca: cert, ...(session === undefined ? {} : { session }) })
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

  it('one log, whose lines are whole on a pipe, the longest too', async () => {
    const config = configWith("accessLog({ format: 'json' })", '{ port: 0 }')
    const { url, running } = await reloadServer({ 'rawhttp.config.mjs': config }, ['--workers', '3'])
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const fields = (size: number) => ({
      'user-agent': 'u'.repeat(size),
      referer: `http://a/${'r'.repeat(size)}`,
    })
    const one = async (number: number) => {
      const path = `/${number}/${'x'.repeat(number % 5_000)}`
      const request = send(url + path, { agent, headers: fields(number % 1_500) }).end()
      const [response] = await once(request, 'response')
      await once(response.resume(), 'end')
    }
    let next = 0
    const client = async () => {
      while (next < 2_000) await one(next++)
    }
    await Promise.all(Array.from({ length: 16 }, client))
    agent.destroy()
    running.child.kill('SIGTERM')
    const { stdout } = await running.finished
    const lines = stdout.split('\n').slice(0, -1)
    const numbers = lines.map(line => Number(/^\/(\d+)\//.exec(JSON.parse(line).target)?.[1]))
    expect(Math.max(...lines.map(({ length }) => length + 1))).toBeLessThanOrEqual(4_096)
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, number) => number))
  })
})

const linesOf = (file: string): string[] =>
  !existsSync(file) ? [] : readFileSync(file, 'utf8').split('\n').slice(0, -1)
