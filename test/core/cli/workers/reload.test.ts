import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { leaveSocket } from '../../../support/dead-socket.ts'
import { get } from '../../../support/messages.ts'
import { RawClient } from '../../../support/raw-client.ts'
import { inCommon } from '../../../support/when-over.ts'
import { configOf, type ReloadServer, reloadServer, runtimeFolder } from '../reload-server.ts'
import { ask, askAll, until } from './ask.ts'

const version = (number: number, more: Partial<Parameters<typeof configOf>[0]> = {}) => ({
  'rawhttp.config.mjs': configOf({ answer: `'${number} ' + process.pid`, ...more }),
})

/** The same, which listens at one more place. */
function listening(number: number, place: object): Readonly<Record<string, string>> {
  const { 'rawhttp.config.mjs': text } = version(number)
  return { 'rawhttp.config.mjs': text.replace('{ port: 0 }', `{ port: 0 }, ${JSON.stringify(place)}`) }
}

/** Fails in the second worker only: whoever asks for a file first makes it. */
const failsInOne = (file: string) => ({
  imports: "import { mkdirSync } from 'node:fs'",
  more: `server(server) { server.hooks.start.tap('once', () => mkdirSync('${file}')) },`,
})

/** Each process loads a file of its own. */
const ownOfEach = {
  'rawhttp.config.mjs': configOf({
    imports: "import { writeFileSync } from 'node:fs'",
    top: `
const own = './own-' + process.pid + '.mjs'
writeFileSync(own, 'export const part = 14')
const { part } = await import(own)`,
    answer: "part + ' ' + process.pid",
  }),
}

const pidOf = (answer: string): number => Number(answer.split(' ')[1])
const renumbered = (answers: readonly string[], number: number): string[] =>
  answers.map(answer => `${number} ${pidOf(answer)}`).sort()

/** A reload that must be good, and whose config all workers then have. */
async function changed({ write, reload, url }: ReloadServer, number: number): Promise<string[]> {
  write(version(number))
  const { code, text } = await reload()
  expect([code, text]).toEqual([0, expect.stringContaining('rawhttp: reloaded rawhttp.config.mjs')])
  return await askAll(url, 2)
}

describe('a reload in place', () => {
  const server = inCommon(() => reloadServer(version(1), ['--workers', '2']))

  it('changes all workers, which stay the processes that they were', async () => {
    const { url, write, reload, running } = server()
    const before = await askAll(url, 2)
    write(version(2))
    expect(await reload()).toEqual({ code: 0, text: 'rawhttp: reloaded rawhttp.config.mjs\n' })
    expect(await askAll(url, 2)).toEqual(renumbered(before, 2))
    await running.line(/reloaded/)
  })

  it('changes none when one cannot, and says why', async () => {
    const { url, write, reload } = server()
    const before = await askAll(url, 2)
    write(version(3, failsInOne('reloaded')))
    const { code, text } = await reload()
    expect([code, text]).toEqual([
      1,
      expect.stringContaining('not reloaded, the config before goes on serving'),
    ])
    expect(text).toContain('EEXIST')
    expect(await askAll(url, 2)).toEqual(before)
    expect(await changed(server(), 4)).toEqual(renumbered(before, 4))
  })

  it('of a config with a mistake has exit code 78', async () => {
    const { url, write, reload } = server()
    const before = await askAll(url, 2)
    write({ 'rawhttp.config.mjs': 'export default { lissten: [] }' })
    const { code, text } = await reload()
    expect(code).toBe(78)
    expect(text.match(/lissten/g)).toHaveLength(1)
    expect(await askAll(url, 2)).toEqual(before)
  })

  it('loses nobody, and comes with SIGHUP too', async () => {
    const { url, write, running } = server()
    write(version(5))
    let count = 0
    running.child.kill('SIGHUP')
    await until(async () => {
      count++
      return (await ask(url)).startsWith('5 ')
    })
    for (; count < 200; count++) await ask(url)
    expect(await askAll(url, 2)).toHaveLength(2)
  })

  it('opens a free port that all have', async () => {
    const { url, write, reload } = server()
    write(listening(6, { host: '127.0.0.2', port: 0 }))
    const { text } = await reload()
    const [, second] = /listening on (http:\/\/127\.0\.0\.2:\d+)/.exec(text)!
    const pids = new Set<string>()
    await until(async () => {
      const answer = await fetch(second!, { headers: { connection: 'close' } })
      return pids.add(await answer.text()).size === 2
    })
    expect([...pids].sort()).toEqual(await askAll(url, 2))
  })

  it('takes the place of a Unix socket that a dead process has left, without getting in its own way', async () => {
    const { write, reload } = server()
    const path = join(runtimeFolder(), 'left.sock')
    await leaveSocket(path)
    write(listening(7, { path }))
    expect(await reload()).toMatchObject({
      code: 0,
      text: expect.stringContaining(`listening on unix:${path}`),
    })
    await using client = await RawClient.open({ path })
    client.send(get())
    expect((await client.response()).body.toString()).toMatch(/^7 /)
  })

  it('does not wait for a worker that starts, which comes to have the same', async () => {
    const { url, write, reload, running } = server()
    const [first] = await askAll(url, 2)
    write(version(8))
    process.kill(pidOf(first!), 'SIGKILL')
    await running.line(new RegExp(`\\(${pidOf(first!)}\\) was ended by SIGKILL; another one starts`))
    expect((await reload()).code).toBe(0)
    // The worker may come before or after the reload.
    await until(async () => (await askAll(url, 2)).every(answer => answer.startsWith('8 ')))
  })

  it('follows by itself when a worker that starts again finds files that the others have not loaded', async () => {
    const { url, write, running } = server()
    const [first, second] = await askAll(url, 2)
    write(version(9))
    process.kill(pidOf(first!), 'SIGKILL')
    await running.line(/^rawhttp: worker \d \(\d+\) has not loaded what the others have: reloading$/)
    await until(async () => (await askAll(url, 2)).every(answer => answer.startsWith('9 ')))
    expect(await askAll(url, 2)).toContain(`9 ${pidOf(second!)}`)
  })

  it('leaves a worker that was told to end meanwhile its requests', async () => {
    const { url, write, reload, running, cwd } = server()
    const top = `
const there = async name => { while (!existsSync(name)) await setTimeout(1) }`
    const imports = `
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'`
    const answer = `(writeFileSync('asked-' + process.pid, ''), await there('go'), '12 ' + process.pid)`
    write({
      'rawhttp.config.mjs': configOf({
        imports,
        top,
        answer: `request.path === '/' ? '12 ' + process.pid : ${answer}`,
      }),
    })
    expect((await reload()).code).toBe(0)
    // The first one waits for the commit while the other one still prepares.
    const more = `
server({ hooks }) {
  hooks.start.tapPromise('start', async () => {
    if (mkdirSync('preparing', { recursive: true }) === undefined) return void (await there('prepare'))
    writeFileSync('prepared', String(process.pid))
  })
},`
    write({ 'rawhttp.config.mjs': configOf({ imports, top, more, answer: "'13 ' + process.pid" }) })
    const reloaded = reload()
    const file = (name: string) => join(cwd, name)
    await until(async () => {
      await pause(5)
      return existsSync(file('prepared')) && readFileSync(file('prepared'), 'utf8') !== ''
    })
    const pid = readFileSync(file('prepared'), 'utf8')
    const answers: Promise<string>[] = []
    await until(async () => {
      answers.push(ask(url, '/held').catch(() => 'lost'))
      await pause(20)
      return existsSync(file(`asked-${pid}`))
    })
    process.kill(Number(pid), 'SIGTERM')
    // Until its socket is closed. Who waited in its queue is reset.
    const closed = () =>
      ask(url).then(
        each => !each.includes(pid),
        () => false,
      )
    await until(async () => (await Promise.all(Array.from({ length: 8 }, closed))).every(Boolean))
    mkdirSync(file('prepare'))
    expect((await reloaded).code).toBe(0)
    mkdirSync(file('go'))
    expect(await Promise.all(answers)).toContain(`12 ${pid}`)
    await running.line(new RegExp(`\\(${pid}\\) was told to end; another one starts`))
    await until(async () => (await askAll(url, 2)).every(each => each.startsWith('13 ')))
  })

  it('loads once more when a file changes between the workers', async () => {
    const { url, write, reload } = server()
    const before = await askAll(url, 2)
    const imports = `
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'`
    // Whoever makes the folder is the first, and writes the file anew; the other one waits for that.
    const top = `
async function load() {
  const isFirst = mkdirSync('loading', { recursive: true }) !== undefined
  while (!isFirst && !existsSync('written')) await setTimeout(1)
  const { part } = await import('./part.mjs')
  if (isFirst) writeFileSync('part.mjs', 'export const part = 11')
  if (isFirst) mkdirSync('written')
  return part
}
const part = await load()`
    const text = configOf({ imports, top, answer: "part + ' ' + process.pid" })
    write({ 'part.mjs': 'export const part = 10', 'rawhttp.config.mjs': text })
    expect((await reload()).code).toBe(0)
    expect(await askAll(url, 2)).toEqual(renumbered(before, 11))
  })

  it('changes none when each worker loads something else', async () => {
    const { url, write, reload } = server()
    const before = await askAll(url, 2)
    write(ownOfEach)
    expect(await reload()).toEqual({
      code: 1,
      text: 'rawhttp: not reloaded: its files change while the workers load them\n',
    })
    expect(await askAll(url, 2)).toEqual(before)
    expect(await changed(server(), 15)).toEqual(renumbered(before, 15))
  })
})

describe('a reload by fresh workers', () => {
  const server = inCommon(() => reloadServer(version(0), ['--workers', '2', '--rolling']))

  it('loses no request', async () => {
    const { url, write, reload } = server()
    const answers: string[] = []
    const failures: unknown[] = []
    write(version(1))
    let isReloaded = false
    const client = async () => {
      while (!isReloaded || answers.length < 500)
        await ask(url).then(
          answer => answers.push(answer[0]!),
          error => failures.push(error),
        )
    }
    const clients = Array.from({ length: 4 }, client)
    expect(await reload()).toEqual({ code: 0, text: 'rawhttp: reloaded by fresh workers\n' })
    isReloaded = true
    await Promise.all(clients)
    expect(failures).toEqual([])
    expect([...new Set(answers)].sort()).toEqual(['0', '1'])
  })

  it('answers who had connected to an old one, and asks when that has let all others go', async () => {
    const { url, reload } = server()
    const port = Number(new URL(url).port)
    const old = await askAll(url, 2)
    await using stack = new AsyncDisposableStack()
    const kept = new Map<string, RawClient>()
    await until(async () => {
      const client = stack.use(await RawClient.connect(port))
      client.send(get())
      return kept.set((await client.response()).body.toString(), client).size === 2
    })
    await using early = await RawClient.connect(port)
    expect((await reload()).code).toBe(0)
    await Promise.all([...kept.values()].map(({ closed }) => closed))
    early.send(get())
    const response = await early.response()
    expect(old).toContain(response.body.toString())
    expect(response.field('connection')).toBe('close')
    expect(old).not.toContain(await ask(url))
  })

  it('leaves the old ones when the new ones do not come to serve', async () => {
    const { url, write, reload } = server()
    const before = await askAll(url, 2)
    write(version(3, failsInOne('rolled')))
    const { code, text } = await reload()
    expect([code, text]).toEqual([1, expect.stringContaining('not reloaded')])
    expect(text).toContain('EEXIST')
    expect(await askAll(url, 2)).toEqual(before)
  })

  it('leaves the old ones when the new ones have not loaded the same', async () => {
    const { url, write, reload } = server()
    const before = await askAll(url, 2)
    write(ownOfEach)
    expect(await reload()).toEqual({
      code: 1,
      text: 'rawhttp: not reloaded: the config before goes on serving\nrawhttp: files of the config changed while the workers loaded them\n',
    })
    expect(await askAll(url, 2)).toEqual(expect.arrayContaining(before))
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => ask(url)))
      return answers.every(answer => before.includes(answer))
    })
  })

  it('has a new one that serves already finish what is in flight when another one does not', async () => {
    const { url, write, reload, cwd } = server()
    const before = await askAll(url, 2)
    // The first of the new ones holds its requests; the second fails when there is one.
    const imports = `
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
const there = async name => { while (!existsSync(name)) await setTimeout(1) }`
    const more = `
server({ hooks }) {
  hooks.start.tapPromise('start', async () => {
    if (mkdirSync('rolling', { recursive: true }) !== undefined) return
    await there('held')
    throw new Error('the second fails')
  })
},`
    const answer = "(mkdirSync('held', { recursive: true }), await there('released'), 'held')"
    write({ 'rawhttp.config.mjs': configOf({ imports, more, answer }) })
    const reloaded = reload()
    const answers: Promise<string>[] = []
    await until(async () => {
      answers.push(ask(url))
      await Promise.race([answers.at(-1), pause(20)])
      return existsSync(join(cwd, 'held'))
    })
    expect(await reloaded).toMatchObject({ code: 1, text: expect.stringContaining('the second fails') })
    mkdirSync(join(cwd, 'released'))
    expect(new Set(await Promise.all(answers))).toEqual(new Set([...before, 'held']))
    expect(await askAll(url, 2)).toEqual(before)
  })
})
