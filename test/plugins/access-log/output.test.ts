import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createServer, type Diagnostic, definePlugin, Handle, HttpResponse, type Server } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { LogOutput } from '../../../plugins/access-log/output.ts'
import { tempFile } from '../../support/temp-file.ts'
import { collect, linesOf, logged, parse, tempFolder, timesOpen } from './log.ts'

const hello = definePlugin({
  name: 'hello',
  site: site =>
    site.hooks.handle.tap({ name: 'hello', stage: Handle.Route }, () => HttpResponse.text('hello')),
})

const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

/** Timers that fire only when time is made to pass. */
function stoppedClock(): { pass(milliseconds: number): void } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  return {
    pass: milliseconds => {
      vi.advanceTimersByTime(milliseconds)
      vi.useRealTimers()
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await sleep(25)
  expect(condition()).toBe(true)
}

function stopping(server: Server): Server {
  onTestFinished(() => server.stop({ deadline: 0 }))
  return server
}

const targetsIn = async (file: string) =>
  linesOf(await readFile(file, 'latin1')).map(line => parse(line).request.split(' ')[1])

describe('lines', () => {
  test('wait for others: nothing is written at once, all within a second', async () => {
    const log = await logged({}, hello)
    const clock = stoppedClock()
    for (let i = 0; i < 50; i++) await log.server.inject(`/${i}`)
    expect(await readFile(log.file, 'latin1')).toBe('')
    clock.pass(1_000)
    const written = async () => linesOf(await readFile(log.file, 'latin1')).length === 50
    await vi.waitUntil(written, { timeout: 5_000 })
  })

  test('are written at once when 64 kB have come together', async () => {
    const log = await logged({}, hello)
    const clock = stoppedClock()
    const url = `/${'x'.repeat(2_000)}`
    for (let i = 0; i < 50; i++) await log.server.inject(url)
    await vi.waitUntil(async () => (await readFile(log.file)).length > 65_536, { timeout: 5_000 })
    clock.pass(0)
    expect(await log.lines()).toHaveLength(50)
  })

  test('of many more than one batch come in order and whole', async () => {
    const log = await logged({}, hello)
    for (let i = 0; i < 20_000; i++) await log.server.inject(`/${i}`)
    const lines = await log.lines()
    expect(lines.map(line => parse(line).request)).toEqual(
      Array.from({ length: 20_000 }, (_, i) => `GET /${i} HTTP/1.1`),
    )
    expect(log.reports).toEqual([])
  })
})

describe('a batch', () => {
  test('takes lines of any length, each whole and in its place', async () => {
    const file = join(await tempFolder(), 'access.log')
    const output = new LogOutput({ path: file, isShared: false })
    await output.open()
    const lines = [60_000, 60_000, 100_000, 3, 70_000, 8_000, 5].map(
      (length, at) => `${String(at).repeat(length)}\n`,
    )
    for (const line of lines) output.write(line)
    await output.end()
    expect(await readFile(file, 'latin1')).toBe(lines.join(''))
  })

  test('that waits to be written is not written over', async () => {
    const file = join(await tempFolder(), 'access.log')
    const output = new LogOutput({ path: file, isShared: false })
    await output.open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const lines = ['first\n', 'second\n', 'third\n', 'fourth\n']
    for (const line of lines) {
      output.write(line)
      vi.advanceTimersByTime(100)
    }
    vi.useRealTimers()
    await output.end()
    expect(await readFile(file, 'latin1')).toBe(lines.join(''))
  })
})

describe('the file', () => {
  test('counts from the config file, and may be a file: URL', async () => {
    const folder = await tempFolder()
    for (const file of ['./relative.log', pathToFileURL(join(folder, 'url.log'))]) {
      const server = stopping(await createServer({ plugins: [accessLog({ file }), hello] }, { dir: folder }))
      await server.inject('/x')
      await server.stop()
    }
    expect(await targetsIn(join(folder, 'relative.log'))).toEqual(['/x'])
    expect(await targetsIn(join(folder, 'url.log'))).toEqual(['/x'])
  })

  test('is appended to', async () => {
    const file = join(await tempFolder(), 'access.log')
    await writeFile(file, 'before\n')
    const server = stopping(await createServer({ plugins: [accessLog({ file }), hello] }))
    await server.inject('/x')
    await server.stop()
    expect(linesOf(await readFile(file, 'latin1'))).toEqual([
      'before',
      expect.stringContaining('"GET /x HTTP/1.1" 200'),
    ])
  })

  test('that cannot be opened stops the start, with plugin, path and reason', async () => {
    const file = join(await tempFile('file', ''), 'access.log')
    const server = await createServer({ plugins: [accessLog({ file }), hello] })
    const failure = server.inject('/x')
    await expect(failure).rejects.toThrow(`file: cannot open ${file} for appending: EEXIST`)
  })

  test('is shared by all sites of a root plugin, and by the site "-"', async () => {
    const log = await createServerWithSites()
    await log.server.inject({ url: '/a', headers: { host: 'a.example' } })
    await log.server.inject({ url: '/b', headers: { host: 'b.example' } })
    await log.server.inject({ url: '/nobody', headers: { host: 'c.example' } })
    await log.server.stop()
    expect(await targetsIn(log.file)).toEqual(['/a', '/b', '/nobody'])
  })

  test('may be named by several sites, or be another for one of them', async () => {
    const folder = await tempFolder()
    const [one, two] = [join(folder, 'one.log'), join(folder, 'two.log')]
    const server = stopping(
      await createServer({
        plugins: [hello],
        sites: [
          { name: 'a', hosts: ['a.example'], plugins: [accessLog({ file: one })] },
          { name: 'b', hosts: ['b.example'], plugins: [accessLog({ file: one })] },
          { name: 'c', hosts: ['c.example'], plugins: [accessLog({ file: two })] },
        ],
      }),
    )
    for (const host of ['a', 'b', 'c'])
      await server.inject({ url: `/${host}`, headers: { host: `${host}.example` } })
    expect(timesOpen(one)).toBe(1)
    await server.stop()
    expect(timesOpen(one)).toBe(0)
    expect(await targetsIn(one)).toEqual(['/a', '/b'])
    expect(await targetsIn(two)).toEqual(['/c'])
  })

  test('stays open over a reload, also for a request of the old generation', async () => {
    const folder = await tempFolder()
    const file = join(folder, 'access.log')
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = definePlugin({
      name: 'slow',
      site: site =>
        site.hooks.handle.tapPromise({ name: 'slow', stage: Handle.Route }, async () => {
          await promise
          return HttpResponse.text('slow')
        }),
    })
    const server = stopping(await createServer({ plugins: [accessLog({ file }), slow] }))
    const old = server.inject('/old')
    await server.reload({ plugins: [accessLog({ file }), hello] })
    await server.inject('/new')
    resolve()
    await old
    // The old generation stops now; the file is the new one's.
    await sleep(200)
    await server.inject('/later')
    await sleep(200)
    await server.inject('/still')
    await server.reload({ plugins: [accessLog({ file: join(folder, 'other.log') }), hello] })
    await server.inject('/other')
    await server.stop()
    expect(await targetsIn(file)).toEqual(['/new', '/old', '/later', '/still'])
    expect(await targetsIn(join(folder, 'other.log'))).toEqual(['/other'])
  })
})

async function createServerWithSites() {
  const file = join(await tempFolder(), 'access.log')
  const sites = ['a', 'b'].map(name => ({ name, hosts: [`${name}.example`] }))
  const server = stopping(await createServer({ plugins: [accessLog({ file }), hello], sites }))
  return { server, file }
}

describe('trouble', () => {
  test('a full disk is reported once, and the server goes on', async () => {
    const reports: Diagnostic[] = []
    const server = stopping(
      await createServer({ plugins: [collect(reports), accessLog({ file: '/dev/full' }), hello] }),
    )
    for (let i = 0; i < 5; i++) {
      expect((await server.inject('/x')).status).toBe(200)
      await sleep(150)
    }
    expect(reports).toMatchObject([{ code: 'ACCESS_LOG_FAILED', plugin: 'access-log', severity: 'error' }])
    expect(reports[0]!.message).toMatch(/^the access log \/dev\/full cannot be written: .*ENOSPC/)
    const before = Date.now()
    await server.stop()
    expect(Date.now() - before).toBeLessThan(2_000)
    expect(reports.slice(1)).toMatchObject([{ code: 'ACCESS_LOG_LOST' }])
    expect(reports[1]!.message).toMatch(/ended with \d+ bytes unwritten/)
  })

  test('what could not be written is tried again until it can, and nothing is lost', async () => {
    const fifo = join(await tempFolder(), 'fifo')
    execFileSync('mkfifo', [fifo])
    const reading = constants.O_RDONLY | constants.O_NONBLOCK
    const first = openSync(fifo, reading)
    const reports: Diagnostic[] = []
    const plugins = [collect(reports), accessLog({ file: fifo }), hello]
    const server = stopping(await createServer({ plugins }))
    await server.inject('/0')
    await sleep(250)
    closeSync(first)
    for (let i = 1; i < 4; i++) await server.inject(`/${i}`)
    await until(() => reports.length > 0)
    expect(reports[0]!.message).toContain('EPIPE')
    for (let i = 4; i < 7; i++) await server.inject(`/${i}`)
    // By then the last line has had its try: what comes now comes of trying again.
    await sleep(300)
    const text = readFrom(openSync(fifo, reading))
    await until(() => reports.length > 1)
    expect(reports[1]!.message).toContain('is written again; 0 lines were lost')
    await until(() => text().includes('GET /6 '))
    const targets = linesOf(text()).map(line => parse(line).request.split(' ')[1])
    expect(targets).toEqual(['/0', '/1', '/2', '/3', '/4', '/5', '/6'])
  })

  test('a reader that stops reading costs 16 MB and then lines, which are counted and reported', async () => {
    const fifo = join(await tempFolder(), 'fifo')
    execFileSync('mkfifo', [fifo])
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    const reports: Diagnostic[] = []
    const server = stopping(
      await createServer({ plugins: [collect(reports), accessLog({ file: fifo }), hello] }),
    )
    const sent = 9_000
    for (let i = 0; i < sent; i++) await server.inject(`/${i}-${'x'.repeat(1_950)}`)
    await until(() => reports.length > 0)
    expect(reports).toMatchObject([{ code: 'ACCESS_LOG_LOST', severity: 'error' }])
    const text = readFrom(reader)
    await until(() => reports.length === 2)
    await server.inject('/last')
    await until(() => text().includes('GET /last'))
    expect(reports[1]).toMatchObject({ code: 'ACCESS_LOG_RESUMED', severity: 'info' })
    const lines = linesOf(text())
    const lost = Number(/(\d+) lines were lost/.exec(reports[1]!.message)![1])
    expect(lost).toBeGreaterThan(0)
    expect(lines).toHaveLength(sent + 1 - lost)
    for (const line of lines) parse(line)
  })
})

test('as long as lines are lost that is said once a minute, with their number', async () => {
  const reports: string[] = []
  const output = new LogOutput({ path: '/dev/full', isShared: false })
  output.reportTo(({ message }) => void reports.push(message.replace('the access log /dev/full ', '')))
  await output.open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const line = `${'x'.repeat(65_535)}\n`
  for (let i = 0; i < 256 + 3; i++) output.write(line)
  expect(reports).toEqual(['is too slow: 16 MB wait to be written, lines are lost until fewer do'])
  vi.advanceTimersByTime(59_900)
  expect(reports).toHaveLength(1)
  output.write(line)
  vi.advanceTimersByTime(200)
  expect(reports.slice(1)).toEqual(['is still not written: 4 lines are lost by now'])
  vi.advanceTimersByTime(60_000)
  expect(reports).toHaveLength(3)
  vi.useRealTimers()
  await output.end()
  expect(reports.at(-1)).toBe('ended with 16777216 bytes unwritten and 4 lines lost before')
})

/** Reads a pipe as things come, until the test ends, and gives what came so far. */
function readFrom(fd: number): () => string {
  const chunk = Buffer.alloc(1_048_576)
  let text = ''
  const drain = () => {
    for (;;) {
      try {
        text += chunk.toString('latin1', 0, readSync(fd, chunk))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return
        throw error
      }
    }
  }
  const timer = setInterval(drain, 1)
  onTestFinished(() => {
    clearInterval(timer)
    closeSync(fd)
  })
  return () => text
}

describe('a mistake in the options', () => {
  test.each([
    [
      { format: 'apache' },
      ".format: expected 'combined', 'common', 'json' or a template such as '{client} {status}', got 'apache'",
    ],
    [{ file: '' }, '.file: expected a path or a file: URL'],
    [{ file: 3 }, '.file: expected a path or a file: URL'],
    [{ file: new URL('http://example.com/x') }, '.file: expected a path or a file: URL'],
    [{ flie: 'x' }, ".flie: unknown option; did you mean 'file'?"],
  ])('%j is told when the config loads', async (options, sentence) => {
    const loading = createServer({ plugins: [accessLog(options as never)] })
    const message = await loading.then(
      () => 'it loaded',
      (error: Error) => error.message,
    )
    expect(message).toContain(`plugins[0] (access-log): options${sentence}`)
  })

  test('there is none in the bare plugin', async () => {
    await expect(createServer({ plugins: [accessLog] })).resolves.toBeDefined()
  })
})
