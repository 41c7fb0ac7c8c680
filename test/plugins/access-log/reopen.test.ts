import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer, type Diagnostic, type Server } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { LogOutput } from '../../../plugins/access-log/output.ts'
import { collect, linesOf, logged, parse, tempFolder, timesOpen } from './log.ts'

const targetsIn = async (file: string) =>
  linesOf(await readFile(file, 'latin1')).map(line => parse(line).request.split(' ')[1])

const isReported = (reports: readonly Diagnostic[], code: string) => () =>
  reports.some(report => report.code === code)

function stopping(server: Server): Server {
  onTestFinished(() => server.stop({ deadline: 0 }))
  return server
}

/** Counts listeners: who has no log file may use the signal otherwise. */
const listeners = () => process.listenerCount('SIGUSR2')

describe('SIGUSR2', () => {
  test('leaves what was logged in the renamed file, and goes on in a new one', async () => {
    const log = await logged({})
    await log.server.inject('/before')
    await rename(log.file, `${log.file}.1`)
    await log.server.inject('/between')
    process.kill(process.pid, 'SIGUSR2')
    await vi.waitUntil(isReported(log.reports, 'ACCESS_LOG_REOPENED'))
    await vi.waitUntil(() => timesOpen(`${log.file}.1`) === 0)
    await log.server.inject('/after')
    await log.lines()
    expect(await targetsIn(`${log.file}.1`)).toEqual(['/before', '/between'])
    expect(await targetsIn(log.file)).toEqual(['/after'])
  })

  test('goes on in the file that somebody made in the place of the renamed one', async () => {
    const log = await logged({})
    await log.server.inject('/before')
    await vi.waitUntil(async () => (await readFile(log.file)).length > 0)
    await rename(log.file, `${log.file}.1`)
    await writeFile(log.file, '')
    process.kill(process.pid, 'SIGUSR2')
    await vi.waitUntil(isReported(log.reports, 'ACCESS_LOG_REOPENED'))
    await vi.waitUntil(() => timesOpen(`${log.file}.1`) === 0)
    await log.server.inject('/after')
    await log.lines()
    expect(await targetsIn(log.file)).toEqual(['/after'])
  })

  test('does nothing to a file that is where it was', async () => {
    const log = await logged({})
    await log.server.inject('/a')
    const signal = once(process, 'SIGUSR2')
    process.kill(process.pid, 'SIGUSR2')
    await signal
    await log.server.inject('/b')
    expect(await log.lines()).toHaveLength(2)
    expect(log.reports).toEqual([])
  })

  test('goes on in the old file when there can be no new one, and says so', async () => {
    const log = await logged({})
    const folder = join(log.file, '..')
    await log.server.inject('/before')
    await rename(folder, `${folder}-moved`)
    onTestFinished(() => rm(`${folder}-moved`, { recursive: true }))
    await writeFile(folder, 'in the way')
    process.kill(process.pid, 'SIGUSR2')
    await vi.waitUntil(isReported(log.reports, 'ACCESS_LOG_FAILED'))
    expect(log.reports[0]!.message).toMatch(
      /^the access log .* stays where it was: file: cannot open .* EEXIST/,
    )
    await log.server.inject('/after')
    await rm(folder)
    process.kill(process.pid, 'SIGUSR2')
    await vi.waitUntil(isReported(log.reports, 'ACCESS_LOG_REOPENED'))
    await log.server.inject('/again')
    await log.lines()
    expect(await targetsIn(join(`${folder}-moved`, 'access.log'))).toEqual(['/before', '/after'])
    expect(await targetsIn(log.file)).toEqual(['/again'])
  })

  test('is listened to while a log file is open, and no longer', async () => {
    const before = listeners()
    const folder = await tempFolder()
    const one = stopping(await createServer({ plugins: [accessLog({ file: join(folder, 'a') })] }))
    const two = stopping(await createServer({ plugins: [accessLog({ file: join(folder, 'b') })] }))
    expect(listeners()).toBe(before)
    await one.inject('/')
    await two.inject('/')
    expect(listeners()).toBe(before + 1)
    await one.stop()
    expect(listeners()).toBe(before + 1)
    await two.stop()
    expect(listeners()).toBe(before)
  })

  test('is not listened to for standard output', async () => {
    const before = listeners()
    const server = stopping(await createServer({ plugins: [accessLog({ sample: 0 })] }))
    await server.inject('/')
    expect(listeners()).toBe(before)
  })

  test('under load loses no line and tears none: each is in exactly one file', async () => {
    const folder = await tempFolder()
    const child = startServer(folder)
    const [port] = await once(child, 'message')
    const rounds = 5
    let asked = 0
    let isLoading = true
    const load = async () => {
      while (isLoading) await ask(Number(port), 200, () => asked++)
    }
    const loads = [load(), load()]
    const log = join(folder, 'access.log')
    for (let round = 1; round <= rounds; round++) {
      const enough = asked + 2_000
      await vi.waitUntil(() => asked > enough, { timeout: 20_000 })
      await rename(log, `${log}.${round}`)
      child.kill('SIGUSR2')
      await vi.waitUntil(() => stat(log).then(Boolean, () => false), { timeout: 5_000 })
    }
    isLoading = false
    await Promise.all(loads)
    child.send('stop')
    await once(child, 'exit')
    const files = await readdir(folder)
    expect(files).toHaveLength(rounds + 1)
    const targets = (await Promise.all(files.map(file => targetsIn(join(folder, file))))).flat()
    expect(targets.toSorted()).toEqual(Array.from({ length: asked }, (_, i) => `/${i}`).toSorted())
    for (const file of files) expect((await targetsIn(join(folder, file))).length).toBeGreaterThan(0)
  })
})

/** A server in a process of its own that logs to `access.log` in a folder, and sends its port. */
function startServer(folder: string) {
  const program = `
    import { createServer } from 'rawhttp'
    import { accessLog } from 'rawhttp/plugins/access-log'
    const server = await createServer(
      { listen: [{ port: 0 }], plugins: [accessLog({ file: './access.log' })] }, { dir: ${JSON.stringify(folder)} })
    const [{ url }] = await server.listen()
    process.on('message', async () => { await server.stop(); process.disconnect() })
    process.send(new URL(url).port)
  `
  const flags = ['--conditions=rawhttp-source', '--input-type=module', '-e', program]
  const cwd = join(import.meta.dirname, '../../..')
  const child = spawn(process.execPath, flags, { cwd, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Sends some requests down one connection, each with a number of its own, and waits for all answers. */
async function ask(port: number, count: number, next: () => number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  let answers = 0
  socket.setEncoding('latin1').on('data', (text: string) => {
    answers += text.split('HTTP/1.1 404').length - 1
  })
  for (let i = 0; i < count; i++) {
    const close = i === count - 1 ? 'Connection: close\r\n' : ''
    socket.write(`GET /${next()} HTTP/1.1\r\nHost: x\r\n${close}\r\n`)
  }
  await once(socket, 'close')
  expect(answers).toBe(count)
}

describe('a reload', () => {
  test('opens a renamed file again, too', async () => {
    const log = await logged({})
    await log.server.inject('/before')
    await rename(log.file, `${log.file}.1`)
    const plugins = [collect(log.reports), accessLog({ file: log.file })]
    await log.server.reload({ listen: [{ port: 0 }], plugins })
    await log.server.inject('/after')
    await log.lines()
    expect(await targetsIn(`${log.file}.1`)).toEqual(['/before'])
    expect(await targetsIn(log.file)).toEqual(['/after'])
  })

  test('that fails leaves the log to the generation that stays', async () => {
    const log = await logged({})
    await log.server.inject('/before')
    const next = log.server.reload({
      listen: [{ port: 0 }],
      plugins: [accessLog({ file: log.file }), accessLog({ file: `${log.file}/below` })],
    })
    await expect(next).rejects.toThrow('cannot open')
    await log.server.inject('/after')
    await log.lines()
    expect(await targetsIn(log.file)).toEqual(['/before', '/after'])
  })

  test('back to a file that is just being closed loses nothing', async () => {
    const folder = await tempFolder()
    const at = (name: string) => ({
      listen: [{ port: 0 }],
      plugins: [accessLog({ file: join(folder, name) })],
    })
    const server = stopping(await createServer(at('a')))
    const urls = Array.from({ length: 30 }, (_, i) => `/${i}`)
    for (const [i, url] of urls.entries()) {
      await server.inject(url)
      await server.reload(at(i % 2 === 0 ? 'b' : 'a'))
    }
    await server.stop()
    const both = [...(await targetsIn(join(folder, 'a'))), ...(await targetsIn(join(folder, 'b')))]
    expect(both.toSorted()).toEqual(urls.toSorted())
  })
})

describe('a file', () => {
  test('is made with its folders, for owner and group only', async () => {
    const folder = await tempFolder()
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    const plugins = [accessLog({ file: './logs/today/access.log' })]
    const server = stopping(await createServer({ plugins }, { dir: folder }))
    await expect(stat(join(folder, 'logs'))).rejects.toThrow('ENOENT')
    await server.inject('/')
    expect((await stat(join(folder, 'logs/today'))).mode & 0o777).toBe(0o750)
    expect((await stat(join(folder, 'logs/today/access.log'))).mode & 0o777).toBe(0o640)
  })

  test('that is there keeps its mode', async () => {
    const folder = await tempFolder()
    await writeFile(join(folder, 'a'), '')
    await chmod(join(folder, 'a'), 0o604)
    const server = stopping(await createServer({ plugins: [accessLog({ file: join(folder, 'a') })] }))
    await server.inject('/')
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o604)
  })

  test("counts from the site's folder for a site's log, from the config's for a root one", async () => {
    const dir = await tempFolder()
    const sites = ['a', 'b', 'c'].map(name => ({ name, hosts: [`${name}.test`], dir: join(dir, name) }))
    const [a, b, c] = sites
    const file = './access.log'
    const own = { ...c!, plugins: [accessLog({ file })] }
    const server = stopping(
      await createServer({ plugins: [accessLog({ file })], sites: [a!, b!, own] }, { dir }),
    )
    for (const host of ['a.test', 'b.test', 'c.test', 'nobody.test'])
      await server.inject({ url: `/${host}`, headers: { host } })
    await server.stop()
    expect(await targetsIn(join(dir, 'access.log'))).toEqual(['/a.test', '/b.test', '/nobody.test'])
    expect(await targetsIn(join(dir, 'c/access.log'))).toEqual(['/c.test'])
    expect(await readdir(dir)).toEqual(['access.log', 'c'])
  })

  test('is shared by logs of two servers and of two formats', async () => {
    const file = join(await tempFolder(), 'access.log')
    const plugins = [accessLog({ file, format: 'one {path}' }), accessLog({ file, format: 'two {path}' })]
    const first = stopping(await createServer({ plugins }))
    const second = stopping(await createServer({ plugins: [accessLog({ file, format: 'three {path}' })] }))
    await Promise.all([first.inject('/a'), second.inject('/b')])
    await first.stop()
    await second.inject('/c')
    await second.stop()
    expect(linesOf(await readFile(file, 'latin1')).toSorted()).toEqual([
      'one /a',
      'three /b',
      'three /c',
      'two /a',
    ])
  })
})

describe('trouble', () => {
  test('with a renamed file does not touch the new one, and is over when the old one is written', async () => {
    const folder = await tempFolder()
    const file = join(folder, 'log')
    await symlink('/dev/full', file)
    const reports: Diagnostic[] = []
    const output = new LogOutput({ path: file, isShared: false })
    output.reportTo(diagnostic => void reports.push(diagnostic))
    await output.open()
    output.write('lost\n')
    await vi.waitUntil(isReported(reports, 'ACCESS_LOG_FAILED'), { timeout: 5_000 })
    await rm(file)
    await output.reopen()
    output.write('kept\n')
    await vi.waitUntil(async () => (await readFile(file, 'latin1')) === 'kept\n', { timeout: 5_000 })
    await output.end()
    expect(reports.map(({ code }) => code)).toEqual([
      'ACCESS_LOG_FAILED',
      'ACCESS_LOG_REOPENED',
      'ACCESS_LOG_LOST',
    ])
    expect(reports[2]!.message).toContain('ended with 5 bytes unwritten')
  })
})
