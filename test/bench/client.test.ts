import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { needTool } from '../support/tools.ts'
import { readLog, readSummary, send } from './client.ts'
import { load } from './load.ts'

/** A server that gives the answers of a list in turn. */
async function answering(...statuses: readonly number[]): Promise<string> {
  needTool('taskset', 'util-linux')
  needTool('h2load', 'nghttp2-client')
  let count = 0
  const server = createServer((_request, response) => {
    response.writeHead(statuses[count++ % statuses.length]!)
    response.end()
  })
  onTestFinished(() => void server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a run counts its answers and says how many came a second', async () => {
  const { total, body, perSecond, p99, tls } = await send(await answering(200), { requests: 500 })
  expect(total).toBeGreaterThan(50)
  expect(body).toBe(0)
  expect(Math.min(perSecond, p99)).toBeGreaterThan(0)
  expect(tls).toBeNull()
})

test('one answer in a hundred that fails, fails the run', async () => {
  const url = await answering(500, ...Array.from({ length: 99 }, () => 200))
  await expect(load(url, 1_000, 1)).rejects.toThrow(`${url}: 990 of 1000 answers were good, 10 with 500.`)
})

test('304 is a good answer where it was asked for, and nowhere else', async () => {
  const url = await answering(304)
  await send(url, { requests: 200, status: 304 })
  await expect(send(url, { requests: 200 })).rejects.toThrow('0 of 200 answers were good, 200 with 304.')
  await expect(send(await answering(200), { requests: 200, status: 304 })).rejects.toThrow('200 with 200.')
})

test('a server that is not there fails the run', async () => {
  needTool('h2load', 'nghttp2-client')
  await expect(send('http://127.0.0.1:1', { requests: 100 })).rejects.toThrow('0 of 100 answers were good')
})

const lineOf = (status: number, microseconds: number): string =>
  `1795422072512606\t${status}\t${microseconds}\n`

test('the 99th percentile leaves out the slowest of a hundred', () => {
  const times = Array.from({ length: 200 }, (_, place) => lineOf(200, (place + 1) * 1_000))
  expect(readLog(times.reverse().join(''), 'u', { requests: 200 })).toBe(198)
})

test('a connection that broke is not an answer', () => {
  const log = lineOf(200, 1) + lineOf(-1, 1)
  expect(() => readLog(log, 'u', { requests: 2 })).toThrow('1 of 2 answers were good, 1 with no status.')
})

test('answers that are missing from the log fail the run', () => {
  expect(() => readLog(lineOf(200, 1), 'u', { requests: 2 })).toThrow('u: 1 of 2 answers were good.')
})

test('the bytes of an answer are those of all by their number', () => {
  const output = [
    'TLS Protocol: TLSv1.3',
    'Cipher: TLS_AES_128_GCM_SHA256',
    'finished in 22.11ms, 90464.99 req/s, 103.53MB/s',
    'traffic: 2.29MB (2400000) total, 78.13KB (80000) headers (space savings 0.00%), 2.16MB (2266000) data',
  ].join('\n')
  expect(readSummary(output, 2_000)).toEqual({
    total: 1_200,
    body: 1_133,
    perSecond: 90_464.99,
    tls: 'TLSv1.3 TLS_AES_128_GCM_SHA256',
  })
  expect(() => readSummary('finished in 1s', 1)).toThrow('h2load did not say')
})
