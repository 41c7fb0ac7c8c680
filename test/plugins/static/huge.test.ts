import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createServer, FileSlice } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { tempSite } from './temp-site.ts'

const SIZE = 5 * 1_073_741_824 + 3

/** A file of 5 GB that takes next to no room: only its end is written. */
async function hugeSite() {
  const site = await tempSite({})
  const file = await open(join(site.root, 'huge.bin'), 'w')
  await file.write('end', SIZE - 3)
  await file.close()
  return site
}

test('a file of 5 GB has its whole length, and its last bytes are where they are', async () => {
  await using site = await hugeSite()
  let body: unknown
  const watch = onSite('watch', at => {
    at.hooks.transform.tap({ name: 'watch', stage: 0 }, response => {
      body = response.body
    })
  })
  const server = await createServer({ plugins: [staticFiles({ root: site.root }), watch] })
  const { status, headers } = await server.inject({ method: 'HEAD', url: '/huge.bin' })
  expect([status, headers.get('content-length')]).toEqual([200, String(SIZE)])
  expect(headers.get('etag')).toContain(`"${SIZE.toString(36)}-`)
  const slice = body as FileSlice
  expect(slice).toBeInstanceOf(FileSlice)
  const pieces: Buffer[] = []
  for await (const piece of slice.slice(SIZE - 5)) pieces.push(piece)
  expect(Buffer.concat(pieces).toString()).toBe('\0\0end')
  await server.stop()
})

test('it begins to arrive without being read into memory', async () => {
  await using site = await hugeSite()
  await using server = await startServer({ plugins: [staticFiles({ root: site.root })] })
  await using client = await RawClient.connect(server.port)
  client.send('GET /huge.bin HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(await client.until('\r\n\r\n')).toContain(`\r\ncontent-length: ${SIZE}\r\n`)
  client.socket.pause()
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 30)
  client.reset()
  const [first] = await server.untilEnded(1)
  expect(first?.outcome.result).toBe('aborted')
})
