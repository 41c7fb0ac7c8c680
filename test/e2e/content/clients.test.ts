import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { definePlugin } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startChromium } from '../../support/chromium.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { needTool } from '../../support/tools.ts'
import { serveSources, sources } from './sources.ts'

const run = promisify(execFile)
const publicFolder = join(import.meta.dirname, '../../../sites/welcome/public')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rawhttp-clients-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('curl', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await serveSources()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(needTool('curl', 'curl'), ['-sS', '--max-time', '20', ...args], {
      encoding: 'latin1',
      maxBuffer: 2 ** 24,
    })
    return stdout
  }
  const page = sources[0]!

  test('--compressed gives the page, from the handler and from memory', async () => {
    for (let i = 0; i < 2; i++) {
      const answer = await curl('--compressed', '-D', join(folder, 'head'), `${server.url}/page.html`)
      expect(answer).toBe(page.bytes.toString())
      expect(await readFile(join(folder, 'head'), 'utf8')).toMatch(/^content-encoding: (?:zstd|br|gzip)\r$/m)
    }
  })

  test('-r gives a part', async () => {
    expect(await curl('-r', '5-14', `${server.url}/page.html`)).toBe(page.bytes.subarray(5, 15).toString())
    expect(await curl('-r', '-7', `${server.url}/page.html`)).toBe(page.bytes.subarray(-7).toString())
  })

  test('-C - goes on with a download that broke off', async () => {
    const file = join(folder, 'half')
    await writeFile(file, page.bytes.subarray(0, 1_000))
    await curl('-C', '-', '-o', file, `${server.url}/page.html`)
    expect(await readFile(file)).toEqual(page.bytes)
  })

  test('-z and --etag-compare spare the bytes of what is known', async () => {
    const status = ['-o', join(folder, 'body'), '-w', '%{http_code} %{size_download}']
    const url = `${server.url}/page.html`
    expect(await curl('-z', new Date().toUTCString(), ...status, url)).toBe('304 0')
    expect(await curl('-z', 'Mon, 01 Jan 2001 00:00:00 GMT', ...status, url)).toBe(`200 ${page.bytes.length}`)
    const tag = join(folder, 'tag')
    await curl('--etag-save', tag, '-o', join(folder, 'body'), url)
    expect(await curl('--etag-compare', tag, ...status, url)).toBe('304 0')
  })
})

test('wget -r brings the welcome site home, byte for byte', async () => {
  await using server = await startServer({
    plugins: [compression(), cache(), staticFiles({ root: publicFolder })],
  })
  const home = join(folder, 'home')
  const args = [
    '-r',
    '-q',
    '-nH',
    '-e',
    'robots=off',
    '--no-parent',
    '-P',
    home,
    '--timeout=10',
    '--tries=1',
    `${server.url}/`,
  ]
  // It says 8 when a link leads nowhere, as the page's own example of a 404 does.
  await run(needTool('wget', 'wget'), args).catch(error => expect(error.code).toBe(8))
  const missed = server.ended.filter(({ response }) => response?.status !== 200)
  for (const { request } of missed)
    expect(existsSync(join(publicFolder, request.path)), request.path).toBe(false)
  const files = globSync('**/*.*', { cwd: home })
  expect(files).toContain('index.html')
  expect(files.length).toBeGreaterThan(3)
  for (const name of files)
    expect(await readFile(join(home, name)), name).toEqual(await readFile(join(publicFolder, name)))
}, 60_000)

describe('Chromium', { timeout: 90_000 }, () => {
  test('loads the page a second time from its own memory, or gets 304s', async () => {
    await using server = await startServer({
      plugins: [compression(), cache(), staticFiles({ root: publicFolder })],
    })
    await using browser = await startChromium()
    const page = await browser.context.newPage()
    await page.goto(server.url, { waitUntil: 'load' })
    const first = server.ended.length
    expect(first).toBeGreaterThan(2)
    expect(server.ended.map(({ response }) => response!.status)).not.toContain(304)
    await page.reload({ waitUntil: 'load' })
    await page.goto('about:blank')
    await page.goto(server.url, { waitUntil: 'load' })
    // Icons are not in Chromium's cache.
    const again = server.ended.slice(first).filter(({ request }) => !request.path.startsWith('/favicon'))
    const statuses = again.map(({ request, response }) => `${request.path} ${response!.status}`)
    expect(statuses.filter(line => !line.endsWith(' 304') && !line.startsWith('/api/'))).toEqual([])
    expect(statuses.length).toBeGreaterThan(0)
  })

  test('seeks in a media file by parts of it', async () => {
    const root = await mkdtemp(join(folder, 'media-'))
    await writeFile(join(root, 'tone.wav'), tone(300))
    await writeFile(
      join(root, 'index.html'),
      '<!doctype html><title>x</title><video src="tone.wav" preload="metadata"></video>',
    )
    const starts: number[] = []
    const seen = definePlugin({
      name: 'seen',
      site: ({ hooks }) =>
        hooks.deliver.tap('seen', (response, request) => {
          const part = /^bytes=(\d+)-/.exec(request.headers.get('range') ?? '')
          if (part !== null && response.status === 206) starts.push(Number(part[1]))
        }),
    })
    const plugins = [seen(), compression(), cache(), staticFiles({ root })]
    await using server = await startServer({ plugins })
    await using browser = await startChromium(['--autoplay-policy=no-user-gesture-required'])
    const page = await browser.context.newPage()
    await page.goto(server.url, { waitUntil: 'load' })
    // In the page, which has types of its own: hence as text.
    const time = await page.evaluate(`new Promise((resolve, reject) => {
      const video = document.querySelector('video')
      video.onseeked = () => resolve(video.currentTime)
      video.onerror = () => reject(new Error('media error ' + video.error?.message))
      const seek = () => { video.currentTime = 250 }
      if (video.readyState >= 1) seek()
      else video.onloadedmetadata = seek
    })`)
    expect(time).toBe(250)
    expect(Math.max(...starts)).toBeGreaterThan(20_000_000)
  })
})

/** A sound of one tone as a WAV file: 44.1 kHz, 16 bit, one channel. */
function tone(seconds: number): Buffer {
  const rate = 44_100
  const samples = new Int16Array(rate * seconds)
  for (let i = 0; i < samples.length; i++) samples[i] = 8_000 * Math.sin((i * 440 * 2 * Math.PI) / rate)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + samples.byteLength, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([head, Buffer.from(samples.buffer)])
}
