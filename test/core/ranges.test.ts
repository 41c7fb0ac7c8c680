import { execFile } from 'node:child_process'
import { readdir, readFile, readlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { HttpResponse } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get } from '../support/messages.ts'
import { readParts } from '../support/multipart.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'
import { needTool } from '../support/tools.ts'

const LARGE = 3_000_000
/** Bytes of which no two neighbourhoods are alike. */
const content = Buffer.from(Uint32Array.from({ length: LARGE / 4 }, (_, i) => i * 2_654_435_761).buffer)

interface Serving extends AsyncDisposable {
  readonly path: string
  readonly served: TestServer
}

/** A server with one file at every path, tagged `"v1"` unless told otherwise. */
async function serving(bytes: string | Buffer = content, etag = () => '"v1"'): Promise<Serving> {
  const path = await tempFile('a.bin', bytes)
  const served = await startServer({
    plugins: [answering(() => HttpResponse.file(path, { headers: { etag: etag() } }))],
  })
  return { path, served, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() }
}

/** More than the buffers between the two can hold; nothing of it is on the disk. */
const HUGE = 200_000_000

/** The same with a huge file of zeros, and a client that has asked for parts of it and takes none. */
async function stalled(range: string) {
  const serves = await serving('')
  await truncate(serves.path, HUGE)
  const client = await RawClient.connect(serves.served.port)
  client.socket.pause()
  client.send(get('/', `Range: ${range}`))
  await expect.poll(() => opened(serves.path)).toBe(1)
  const ended = async () => (await serves.served.untilEnded(1))[0]!.outcome.result
  return {
    ...serves,
    client,
    ended,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await serves[Symbol.asyncDispose]()
    },
  }
}

/** Descriptors of this process that stand for a file. */
async function opened(path: string): Promise<number> {
  const links = (await readdir('/proc/self/fd')).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return (await Promise.all(links)).filter(link => link.startsWith(path)).length
}

describe('over a socket', () => {
  test('parts of a large file arrive whole, and what follows them is in step', async () => {
    await using serves = await serving()
    await using client = await RawClient.connect(serves.served.port)
    const ranges = 'bytes=0-299999,1000000-1999999,-1'
    client.send(
      get('/', `Range: ${ranges}`) + get('/', 'Range: bytes=9-') + get('/', `Range: bytes=${LARGE}-`) + get(),
    )
    const several = await client.response()
    expect([several.status, several.field('content-length')]).toEqual([206, String(several.body.length)])
    const parts = readParts(several.field('content-type'), several.body)
    expect(parts.map(({ start, end, type }) => [start, end, type])).toEqual([
      [0, 299_999, 'application/octet-stream'],
      [1_000_000, 1_999_999, 'application/octet-stream'],
      [LARGE - 1, LARGE - 1, 'application/octet-stream'],
    ])
    for (const { start, end, bytes } of parts)
      expect(bytes.equals(content.subarray(start, end + 1))).toBe(true)
    const one = await client.response()
    expect([one.status, one.field('content-range')]).toEqual([206, `bytes 9-${LARGE - 1}/${LARGE}`])
    expect(one.body.equals(content.subarray(9))).toBe(true)
    const none = await client.response()
    expect([none.status, none.field('content-range')]).toEqual([416, `bytes */${LARGE}`])
    expect((await client.response()).body.equals(content)).toBe(true)
    expect(serves.served.reports).toEqual([])
  })

  test('HTTP/1.0 gets parts as well', async () => {
    await using serves = await serving('0123456789')
    await using client = await RawClient.connect(serves.served.port)
    client.send('GET / HTTP/1.0\r\nRange: bytes=0-0,-1\r\n\r\n')
    const { field, body } = await client.response()
    expect(readParts(field('content-type'), body).map(({ bytes }) => bytes.toString())).toEqual(['0', '9'])
    expect(await client.closed).toBe('end')
  })

  test('a hundred parts take one opening of their file, which a client that leaves closes', async () => {
    const members = Array.from({ length: 100 }, (_, i) => `${i * 2_000_000}-${i * 2_000_000 + 1_000_000}`)
    await using stall = await stalled(`bytes=${members.join(',')}`)
    stall.client.reset()
    expect(await stall.ended()).toBe('aborted')
    await expect.poll(() => opened(stall.path)).toBe(0)
  })

  test.each(['bytes=10-', 'bytes=0-1,10-'])('%s of a file that gets short breaks off', async range => {
    await using stall = await stalled(range)
    await truncate(stall.path, 100)
    stall.client.socket.resume()
    expect(await stall.client.closed).toBe('end')
    expect(await stall.ended()).toBe('failed')
    expect(stall.served.reports[0]?.message).toContain(`expected ${HUGE} bytes`)
  })
})

describe('curl', () => {
  const run = promisify(execFile)

  /** Runs curl; its exit code, and what it wrote to stdout. */
  async function curl(...options: readonly string[]): Promise<{ code: number; out: Buffer }> {
    const path = needTool('curl', 'curl')
    const how = { encoding: 'buffer', timeout: 20_000, maxBuffer: 2 * LARGE } as const
    return run(path, ['-s', '-q', ...options], how).then(
      ({ stdout }) => ({ code: 0, out: stdout }),
      ({ code, stdout }: { code: number; stdout: Buffer }) => ({ code, out: stdout }),
    )
  }

  test.each([
    ['0-9', content.subarray(0, 10)],
    ['-5', content.subarray(-5)],
    ['2999990-', content.subarray(-10)],
    ['0-4,5-9', content.subarray(0, 10)],
    [`-${2 * LARGE}`, content],
  ])('-r %s gets that part', async (range, expected) => {
    await using serves = await serving()
    const { code, out } = await curl('-r', range, serves.served.url)
    expect([code, out.equals(expected)]).toEqual([0, true])
    expect((await serves.served.untilEnded(1))[0]?.response?.status).toBe(206)
  })

  test('-r 0-1,5-6 gets both, each with its place', async () => {
    await using serves = await serving('0123456789')
    const { out } = await curl('-r', '0-1,5-6', '-D', '-', serves.served.url)
    const end = out.indexOf('\r\n\r\n')
    const type = /^content-type: (.*)$/im.exec(out.toString('latin1', 0, end))?.[1]
    expect(readParts(type, out.subarray(end + 4)).map(({ bytes }) => bytes.toString())).toEqual(['01', '56'])
  })

  test('-r 100- of ten bytes is an error that -f tells', async () => {
    await using serves = await serving('0123456789')
    const { code, out } = await curl('-f', '-r', '100-', serves.served.url)
    expect([code, out.length]).toEqual([22, 0])
  })

  /** What curl has loaded before, as a file beside the one that is served. */
  async function loaded(serves: Serving, bytes: Buffer): Promise<string> {
    const file = join(dirname(serves.path), 'loaded')
    await writeFile(file, bytes)
    return file
  }

  test('-C - goes on where it stopped', async () => {
    await using serves = await serving()
    const file = await loaded(serves, content.subarray(0, 1_234_567))
    expect((await curl('-C', '-', '-H', 'If-Range: "v1"', '-o', file, serves.served.url)).code).toBe(0)
    expect((await readFile(file)).equals(content)).toBe(true)
    const [{ response, outcome }] = (await serves.served.untilEnded(1)) as [
      (typeof serves.served.ended)[number],
    ]
    expect([response?.status, outcome.bodyBytes]).toEqual([206, LARGE - 1_234_567])
  })

  test('-C - never puts bytes of a changed file behind the old ones', async () => {
    await using serves = await serving(content, () => '"v2"')
    const before = Buffer.alloc(1_000, 'old')
    const file = await loaded(serves, before)
    // "The server cannot resume": it was given the whole, and keeps what it has.
    expect((await curl('-C', '-', '-H', 'If-Range: "v1"', '-o', file, serves.served.url)).code).toBe(33)
    expect(await readFile(file)).toEqual(before)
    expect((await serves.served.untilEnded(1))[0]?.response?.status).toBe(200)
  })

  test('-C - of what is loaded already leaves it as it is', async () => {
    await using serves = await serving()
    const file = await loaded(serves, content)
    await curl('-C', '-', '-o', file, serves.served.url)
    expect((await readFile(file)).equals(content)).toBe(true)
    expect((await serves.served.untilEnded(1))[0]?.response?.status).toBe(416)
  })
})
