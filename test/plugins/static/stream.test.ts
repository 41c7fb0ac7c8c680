import { truncate } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { expect, onTestFinished, test } from 'vitest'
import { exchange } from './raw.ts'
import { tempSite } from './temp-site.ts'

const SIZE = 32 * 1_048_576

async function serve() {
  const site = await tempSite({ 'large.bin': new Uint8Array(SIZE).fill(0x61), 'small.txt': 'small' })
  const server = await createServer({ listen: [{ port: 0 }], plugins: [staticFiles({ root: site.root })] })
  const port = portOf(await server.listen())
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  return { port, path: join(site.root, 'large.bin') }
}

const request = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`

test('a large file arrives whole, and the connection goes on', async () => {
  const { port } = await serve()
  const answer = await exchange(port, request('/large.bin') + request('/small.txt', 'Connection: close\r\n'))
  const body = answer.indexOf('\r\n\r\n') + 4
  expect(answer.slice(0, body)).toMatch(new RegExp(`^content-length: ${SIZE}\r$`, 'im'))
  expect(answer.slice(body, body + SIZE)).toBe('a'.repeat(SIZE))
  expect(answer.slice(body + SIZE)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nsmall$/)
})

test('a file that shrinks while it is sent is cut short, never filled up', async () => {
  const { port, path } = await serve()
  const received = await new Promise<number>((resolve, reject) => {
    let bytes = 0
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request('/large.bin')))
    socket.once('data', () => {
      socket.pause()
      truncate(path, 1_000_000).then(() => socket.resume(), reject)
    })
    socket.on('data', chunk => {
      bytes += chunk.length
    })
    // A cut connection may end in either way.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(bytes))
  })
  expect(received).toBeLessThan(SIZE)
})
