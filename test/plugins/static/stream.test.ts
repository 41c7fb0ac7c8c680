import { once } from 'node:events'
import { appendFile, readdir, readlink, rename, truncate, unlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { staticFiles } from 'rawhttp/plugins/static'
import { expect, onTestFinished, test } from 'vitest'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { tempSite } from './temp-site.ts'

const MEGABYTE = 1_048_576

async function serve(size: number) {
  const site = await tempSite({ 'large.bin': new Uint8Array(size).fill(0x61), 'small.txt': 'small' })
  const server = await startServer({ plugins: [staticFiles({ root: site.root })] })
  const client = await RawClient.connect(server.port)
  onTestFinished(async () => {
    await client[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })
  return { server, client, path: join(site.root, 'large.bin') }
}

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`

test('a large file arrives whole, and the connection goes on', async () => {
  const { client } = await serve(8 * MEGABYTE)
  client.send(get('/large.bin') + get('/small.txt'))
  const large = await client.response()
  expect(large.field('content-length')).toBe(String(8 * MEGABYTE))
  expect(large.body.equals(Buffer.alloc(8 * MEGABYTE, 'a'))).toBe(true)
  expect((await client.response()).body.toString()).toBe('small')
})

test('a file that shrinks while it is sent is cut short, never filled up', async () => {
  const { server, client, path } = await serve(64 * MEGABYTE)
  let bytes = 0
  client.socket.on('data', chunk => {
    bytes += chunk.length
  })
  client.send(get('/large.bin'))
  await client.until('\r\n\r\n')
  client.socket.pause()
  await truncate(path, 1_000_000)
  client.socket.resume()
  await client.closed
  expect(bytes).toBeLessThan(64 * MEGABYTE)
  const [first] = await server.untilEnded(1)
  expect(first?.outcome.result).toBe('failed')
})

test('a file that is rewritten while it is sent is cut short, and one that grows is sent as far as it went', async () => {
  const size = 64 * MEGABYTE
  const download = async (change: (path: string) => Promise<void>) => {
    const { server, path } = await serve(size)
    const socket = connect({ port: server.port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    const closed = new Promise(resolve => socket.on('close', resolve))
    socket.write(get('/large.bin').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    const [head] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    await change(path)
    let bytes = head.length - head.indexOf('\r\n\r\n') - 4
    socket.on('data', chunk => {
      bytes += chunk.length
    })
    socket.resume()
    const [first] = await server.untilEnded(1)
    await closed
    return { body: bytes, result: first?.outcome.result }
  }
  const rewritten = await download(path => writeFile(path, Buffer.alloc(size, 'b')))
  expect(rewritten.result).toBe('failed')
  expect(rewritten.body).toBeLessThan(size)
  expect(await download(path => appendFile(path, 'more'))).toEqual({ body: size, result: 'sent' })
})

test('a file that is replaced or goes while it is sent arrives as it was', async () => {
  const { client, path } = await serve(8 * MEGABYTE)
  client.send(get('/large.bin'))
  await client.until('HTTP/1.1 ')
  await writeFile(`${path}.new`, 'new')
  await rename(`${path}.new`, path)
  await client.until('\r\n\r\n')
  await unlink(path)
  await client.until('a'.repeat(8 * MEGABYTE))
})

/** How many descriptors of this process lead to a file. */
async function openCount(path: string): Promise<number> {
  const links = (await readdir('/proc/self/fd')).map(each =>
    readlink(`/proc/self/fd/${each}`).catch(() => 'closed'),
  )
  return (await Promise.all(links)).filter(link => link === path).length
}

test.runIf(process.platform === 'linux')('a file is closed when its reader leaves half-way', async () => {
  const { server, client, path } = await serve(64 * MEGABYTE)
  client.send(get('/large.bin'))
  await client.until('\r\n\r\n')
  expect(await openCount(path)).toBe(1)
  client.reset()
  const [first] = await server.untilEnded(1)
  expect(first?.outcome.result).toBe('aborted')
  await expect.poll(() => openCount(path)).toBe(0)
})
