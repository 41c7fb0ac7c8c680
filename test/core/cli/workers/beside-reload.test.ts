import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { configOf, type ReloadServer, reloadServer } from '../reload-server.ts'
import { ask, askAll, until } from './ask.ts'

const imports = `
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'`
const top = `
async function there(name) { while (!existsSync(name)) await setTimeout(1) }`

/** Answers with a number and the process. */
const version = (number: number, start = '') => ({
  'rawhttp.config.mjs': configOf({
    imports,
    top,
    answer: `(request.path === '/held' && (writeFileSync('held', String(process.pid)), await there('let go')), '${number} ' + process.pid)`,
    more: `server({ hooks }) { hooks.start.tapPromise('start', async () => { ${start} }) },`,
  }),
})

/** Whoever starts it first hangs until the test says how that ends. */
const hangsInOne = `
if (mkdirSync('begun', { recursive: true }) === undefined) return
writeFileSync('hanging', String(process.pid))
await there('end')
if (readFileSync('end', 'utf8') !== 'well') throw new Error('it never ends')`

const pidOf = (answer: string): number => Number(answer.split(' ')[1])

/** Waits for what a worker writes into a file. */
async function written(cwd: string, name: string): Promise<string> {
  const file = join(cwd, name)
  await until(async () => {
    await pause(2)
    return existsSync(file) && readFileSync(file, 'utf8') !== ''
  })
  return readFileSync(file, 'utf8')
}

/** The workers once all that answer have this number. Who waits in the queue of one that leaves is reset before. */
async function allHave(url: string, number: number, count: number): Promise<readonly number[]> {
  const asked = () => Promise.all(Array.from({ length: 12 }, () => ask(url)))
  const isSo = (answers: readonly string[]) =>
    answers.every(answer => answer.startsWith(`${number} `)) && new Set(answers).size === count
  await until(async () => isSo(await asked().catch(() => [])))
  const answers = (await Promise.all(Array.from({ length: 5 }, asked))).flat()
  const all = [...new Set(answers)]
  expect(all.filter(answer => !answer.startsWith(`${number} `))).toEqual([])
  return all.map(pidOf)
}

interface Hanging extends ReloadServer {
  readonly stuck: number
  readonly fresh: number
  /** The reload that hangs. */
  readonly reloaded: ReturnType<ReloadServer['reload']>
}

/** Two workers of config 1, a reload to 2 that hangs in one process, and one that came for a worker killed meanwhile. */
async function killedMeanwhile(...args: readonly string[]): Promise<Hanging> {
  const server = await reloadServer(version(1), ['--workers', '2', ...args])
  const { cwd, url, running } = server
  const before = (await askAll(url, 2)).map(pidOf)
  server.write(version(2, hangsInOne))
  let isOver = false
  const reloaded = server.reload().finally(() => {
    isOver = true
  })
  const stuck = Number(await written(cwd, 'hanging'))
  const killed = before.find(pid => pid !== stuck)!
  process.kill(killed, 'SIGKILL')
  await running.line(new RegExp(`\\(${killed}\\) was ended by SIGKILL; another one starts`))
  const isFresh = (pid: number) => pid !== stuck && !before.includes(pid)
  const answers: string[] = []
  await until(async () => isFresh(pidOf(answers[answers.push(await ask(url).catch(() => '0 0')) - 1]!)))
  expect(isOver).toBe(false)
  return { ...server, stuck, fresh: pidOf(answers.at(-1)!), reloaded }
}

describe('a worker that is killed while a reload hangs in another one is replaced at once', () => {
  it('by one that goes over with the others when all could prepare', async () => {
    const { write, url, stuck, fresh, reloaded, running } = await killedMeanwhile()
    write({ end: 'well' })
    expect(await reloaded).toEqual({ code: 0, text: 'rawhttp: reloaded rawhttp.config.mjs\n' })
    expect([...(await allHave(url, 2, 2))].sort()).toEqual([stuck, fresh].sort())
    running.child.kill('SIGTERM')
    // It is taken into this reload, and needs no other one.
    expect((await running.finished).stderr.match(/reload/g)).toHaveLength(1)
  })

  it('by one that goes over with the others though it has loaded what was there before', async () => {
    const waits = `
if (!existsSync('wait')) return
writeFileSync('waiting', String(process.pid))
await there('serve')`
    const { cwd, url, write, reload } = await reloadServer(version(1, waits), ['--workers', '2'])
    const [first] = await askAll(url, 2)
    writeFileSync(join(cwd, 'wait'), '')
    process.kill(pidOf(first!), 'SIGKILL')
    const fresh = Number(await written(cwd, 'waiting'))
    write(version(2, hangsInOne))
    const reloaded = reload()
    const stuck = Number(await written(cwd, 'hanging'))
    writeFileSync(join(cwd, 'serve'), '')
    await until(async () => (await ask(url)) === `1 ${fresh}`)
    write({ end: 'well' })
    expect((await reloaded).code).toBe(0)
    expect([...(await allHave(url, 2, 2))].sort()).toEqual([stuck, fresh].sort())
  })

  it('also while it prepared itself: the reload is that of those who live', async () => {
    const hangsInBoth = `
if (existsSync('killed')) return
writeFileSync('hanging-' + process.pid, 'so')
await there('end')`
    const { cwd, url, write, reload } = await reloadServer(version(1), ['--workers', '2'])
    const [killed = 0, stuck] = (await askAll(url, 2)).map(pidOf)
    write(version(2, hangsInBoth))
    const reloaded = reload()
    for (const pid of [killed, stuck]) await written(cwd, `hanging-${pid}`)
    writeFileSync(join(cwd, 'killed'), '')
    process.kill(killed, 'SIGKILL')
    await until(async () => (await ask(url).catch(() => '')).startsWith('2 '))
    write({ end: 'well' })
    expect((await reloaded).code).toBe(0)
    expect(await allHave(url, 2, 2)).toContain(stuck)
  })

  it('by one that leaves when the others stay what they are, until the next good reload', async () => {
    const { url, stuck, fresh, reloaded, write, reload, running } = await killedMeanwhile()
    write({ end: 'badly' })
    expect(await reloaded).toMatchObject({ code: 1, text: expect.stringContaining('it never ends') })
    expect(await running.line(new RegExp(`\\(${fresh}\\) leaves`))).toMatch(
      /^rawhttp: worker \d \(\d+\) leaves, since the others cannot have what it has loaded; another one starts with the next reload$/,
    )
    expect(await allHave(url, 1, 1)).toEqual([stuck])
    write(version(3))
    expect((await reload()).code).toBe(0)
    expect(await allHave(url, 3, 2)).toContain(stuck)
  })

  it('by one that leaves for the fresh ones of a rolling reload', async () => {
    const { write, url, stuck, fresh, reloaded } = await killedMeanwhile('--rolling')
    write({ end: 'well' })
    expect(await reloaded).toMatchObject({ code: 0 })
    const pids = await allHave(url, 2, 2)
    expect(pids).toContain(stuck)
    expect(pids).not.toContain(fresh)
  })

  it('by one that leaves when a rolling reload fails', async () => {
    const { write, url, fresh, reloaded } = await killedMeanwhile('--rolling')
    write({ end: 'badly' })
    expect(await reloaded).toMatchObject({ code: 1, text: expect.stringContaining('it never ends') })
    expect(await allHave(url, 1, 1)).not.toContain(fresh)
  })
})

describe('a worker whose start hangs', () => {
  it('holds no reload, and has what that one found as soon as it serves', async () => {
    // What no module tells: a certificate, for one.
    const answer = "globalThis.fact + ' ' + process.pid"
    const start = `
globalThis.fact = readFileSync('fact', 'utf8')
if (!existsSync('hang')) return
writeFileSync('hanging', String(process.pid))
await there('end')`
    const more = `server({ hooks }) { hooks.start.tapPromise('start', async () => { ${start} }) },`
    const files = { fact: '1', 'rawhttp.config.mjs': configOf({ imports, top, answer, more }) }
    const { cwd, url, write, reload, running } = await reloadServer(files, ['--workers', '2'])
    const [first, second] = await askAll(url, 2)
    writeFileSync(join(cwd, 'hang'), '')
    process.kill(pidOf(first!), 'SIGKILL')
    const stuck = Number(await written(cwd, 'hanging'))
    write({ fact: '2' })
    rmSync(join(cwd, 'hang'))
    expect((await reload()).code).toBe(0)
    expect(await allHave(url, 2, 1)).toEqual([pidOf(second!)])
    write({ end: 'well' })
    await running.line(new RegExp(`\\(${stuck}\\) has not loaded what the others have: reloading`))
    expect(await allHave(url, 2, 2)).toContain(stuck)
  })
})

describe('a worker that a signal reaches', () => {
  it('is replaced while it finishes what it has, and no reload asks it any more', async () => {
    const { cwd, url, write, reload, running } = await reloadServer(version(1), ['--workers', '2'])
    const [first, second] = (await askAll(url, 2)).map(pidOf)
    const held = ask(url, '/held')
    const leaving = Number(await written(cwd, 'held'))
    process.kill(leaving, 'SIGTERM')
    await running.line(new RegExp(`\\(${leaving}\\) was told to end; another one starts in 0\\.1 s`))
    write(version(2))
    expect(await reload()).toEqual({ code: 0, text: 'rawhttp: reloaded rawhttp.config.mjs\n' })
    const pids = await allHave(url, 2, 2)
    expect(pids).toContain(leaving === first ? second : first)
    expect(pids).not.toContain(leaving)
    writeFileSync(join(cwd, 'let go'), '')
    expect(await held).toBe(`1 ${leaving}`)
  })
})
