import { once } from 'node:events'
import { RawClient } from '../support/raw-client.ts'
import type { Child } from './child.ts'
import { forgetPeak, MB, peakOf, steady } from './memory.ts'
import { Findings, type Report } from './report.ts'
import { FRESH_BYTES } from './routes.ts'
import { type ServerCalls, startTarget } from './server.ts'

const PIPELINED = 100_000
/** What the kernel takes for one connection at most, its own buffer and the client's. */
const KERNEL_BYTES = 40 * MB

/** 100,000 requests in one connection that never reads. */
export async function pipelineFlood(path: '/' | '/fresh'): Promise<Report> {
  const findings = new Findings(`${PIPELINED} pipelined requests of ${path}, and nobody reads the answers`)
  await using server = await startTarget({ limits: { writeTimeout: '10m' } })
  const port = await server.call.port()
  await warmUp(port)
  await using client = await RawClient.connect(port)
  client.socket.pause()
  const before = forgetPeak(server.pid)
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  const requests = Buffer.alloc(PIPELINED * request.length, request)
  client.send(requests)
  await untilQuiet(server)
  const entered = (await server.call.begun()) - WARM_UP
  findings.note(`requests that were handled: ${entered}`)
  findings.atMost('growth of RSS', (peakOf(server.pid) - before) / MB, 32, 'MB')
  if (path === '/fresh') {
    findings.atMost('answers made', entered, KERNEL_BYTES / FRESH_BYTES, '')
  }
  client.reset()
  const { ends } = await server.call.untilEmpty()
  const begun = await server.call.begun()
  findings.must(ends === begun, `${begun} requests had ${ends} ends`)
  await mustLive(server, findings)
  return findings
}

/** Compiled code and a heap of the size that garbage needs are no growth: a first client has them behind it. */
async function warmUp(port: number): Promise<void> {
  await using client = await RawClient.connect(port)
  client.socket.removeAllListeners('data')
  client.send(`${'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(WARM_UP - 1)}${last}`)
  await once(client.socket.resume(), 'end')
}

const WARM_UP = 30_000
const last = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

/** When nothing is handled any more, and memory has come to rest. */
async function untilQuiet(server: Child<ServerCalls>): Promise<void> {
  for (let before = -1, now = 0; before !== now; ) {
    before = now
    await steady(server.pid)
    now = await server.call.begun()
  }
}

/** Whether the server still answers. */
export async function mustLive(server: Child<ServerCalls>, findings: Findings): Promise<void> {
  await using client = await RawClient.connect(await server.call.port())
  client.send(last)
  const { status } = await client.response()
  findings.must(status === 200, `an honest request is answered with ${status}`)
  for (const error of (await server.call.seen()).errors) findings.must(false, `reported: ${error}`)
}

/** Heads that never end: one endless line, endless lines, an endless target. */
const endless: Readonly<Record<string, readonly [start: string, again: string, status: number]>> = {
  'one endless line': ['GET / HTTP/1.1\r\nHost: a\r\nX-A: ', 'a'.repeat(1_000), 431],
  'endless lines': ['GET / HTTP/1.1\r\nHost: a\r\n', 'X-A: b\r\n'.repeat(100), 431],
  'an endless target': ['GET /', 'a'.repeat(1_000), 414],
}

/** Heads that never end, many of each kind at the same time. */
export async function headerFlood(count: number): Promise<Report> {
  const findings = new Findings(`${count} header floods of each kind`)
  await using server = await startTarget()
  const port = await server.call.port()
  await warmUp(port)
  for (const kind of kindsOfHeads) await floods(port, kind, 50)
  const before = forgetPeak(server.pid)
  for (const kind of kindsOfHeads) {
    const answers = await floods(port, kind, count)
    const good = answers.filter(status => status === endless[kind]![2]).length
    const others = answers.filter(status => status !== endless[kind]![2] && status !== null)
    findings.note(
      `${kind}: ${good} answered with ${endless[kind]![2]}, ${count - good} reset before they read it`,
    )
    findings.must(others.length === 0, `${kind}: answered with ${others.join()}`)
  }
  findings.atMost('growth of RSS', (peakOf(server.pid) - before) / MB, 32, 'MB')
  const { results } = await server.call.untilEmpty()
  const [refused = 0, all] = [results['refused' as string], kindsOfHeads.length * (50 + count)]
  findings.must(refused === all, `${refused} of ${all} floods were refused`)
  await mustLive(server, findings)
  return findings
}

const kindsOfHeads = Object.keys(endless)

async function floods(port: number, kind: string, count: number): Promise<(number | null)[]> {
  const [start, again] = endless[kind]!
  return inTurns(count, () => floodOnce(port, start, again))
}

/** Never more of them at a time than a small machine bears. */
async function inTurns<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let left = count; left > 0; left -= 50) {
    results.push(...(await Promise.all(Array.from({ length: Math.min(left, 50) }, work))))
  }
  return results
}

/**
 * Sends until the server ends it, and tells what it answered: null when there was a reset before the answer was
 * read, which who sends on and on has to expect (RFC 9112 section 9.6).
 */
async function floodOnce(port: number, start: string, again: string): Promise<number | null> {
  await using client = await RawClient.connect(port)
  const { socket } = client
  let isOver = false
  void client.closed.then(() => (isOver = true))
  client.send(start)
  while (!isOver && socket.bytesWritten < 100 * MB) {
    client.send(again)
    if (socket.writableNeedDrain) await Promise.race([once(socket, 'drain').catch(() => null), client.closed])
    else await new Promise(setImmediate)
  }
  const status = /^HTTP\/1\.1 (\d+)/.exec(client.received)?.[1]
  return status === undefined ? null : Number(status)
}
