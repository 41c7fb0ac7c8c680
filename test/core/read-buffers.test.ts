import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { FileSlice, HttpResponse } from 'rawhttp'
import { afterEach, expect, test, vi } from 'vitest'
import { giveBack, lentBuffer, ownBuffer, READ_SIZE } from '../../core/read-buffers.ts'
import { get } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Empties what earlier tests have given back. */
function takeAll(): void {
  const seen = new Set<ArrayBufferLike>()
  for (let i = 0; i < 64; i++) seen.add(lentBuffer(READ_SIZE).buffer)
}

test('a buffer that was given back, or a part of it, is lent again whole', () => {
  takeAll()
  const first = lentBuffer(READ_SIZE)
  giveBack(first.subarray(0, 7))
  const second = lentBuffer(100_000)
  expect(second.buffer).toBe(first.buffer)
  expect(second.length).toBe(READ_SIZE)
  expect(lentBuffer(READ_SIZE).buffer).not.toBe(first.buffer)
})

test('a small piece has a buffer of its own size, which is not kept', () => {
  takeAll()
  const small = lentBuffer(65_536)
  expect(small.length).toBe(65_536)
  giveBack(small)
  giveBack(ownBuffer(100))
  expect(lentBuffer(65_536).buffer).not.toBe(small.buffer)
  expect(lentBuffer(READ_SIZE).length).toBe(READ_SIZE)
})

test('no more than 16 are kept', () => {
  takeAll()
  const lent = Array.from({ length: 40 }, () => lentBuffer(READ_SIZE))
  for (const each of lent) giveBack(each)
  const before = new Set(lent.map(({ buffer }) => buffer))
  const again = Array.from({ length: 40 }, () => lentBuffer(READ_SIZE).buffer)
  expect(again.filter(each => before.has(each))).toHaveLength(16)
})

const SIZE = 3 * 1_048_576 + 17

/** Three files of random bytes, and a plugin that serves them at /0, /1 and /2. */
async function random() {
  const contents = Array.from({ length: 3 }, () => randomBytes(SIZE))
  const paths = await Promise.all(contents.map(bytes => tempFile('a.bin', bytes)))
  const files = answering(({ path }) => HttpResponse.file(paths[Number(path.slice(1))]!))
  return { contents, paths, files }
}

test('clients that read by fits and starts each get the bytes of their own file', async () => {
  const { contents, files } = await random()
  await using server = await startServer({ plugins: [files] })
  const download = async (turn: number): Promise<void> => {
    await using client = await RawClient.connect(server.port)
    const { socket } = client
    let chunks = 0
    socket.on('data', () => {
      if (++chunks % (turn + 2) !== 0) return
      socket.pause()
      setImmediate(() => socket.resume())
    })
    for (let round = 0; round < 2; round++) {
      const which = (turn + round) % 3
      client.send(get(`/${which}`))
      expect((await client.response()).body.equals(contents[which]!), `client ${turn}`).toBe(true)
    }
  }
  await Promise.all(Array.from({ length: 6 }, (_, turn) => download(turn)))
})

/** Asks for a file and counts, once it is read, the bytes of the body that are not `byte`. */
async function others(
  port: number,
  target: string,
  byte: number,
  mayRead: Promise<unknown>,
): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(get(target, 'Connection: close'))
  let count = 0
  await mayRead
  let isBody = false
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    const start = isBody ? 0 : chunk.indexOf('\r\n\r\n') + 4
    isBody = true
    for (let at = start; at < chunk.length; at++) if (chunk[at] !== byte) count++
  }
  return count
}

test('one that does not read at all loses nothing to others that do', async () => {
  // More than the sockets of both sides hold.
  const size = 48 * 1_048_576
  const paths = [await tempFile('0', Buffer.alloc(size, 0)), await tempFile('1', Buffer.alloc(size, 1))]
  const files = answering(({ path }) => HttpResponse.file(paths[Number(path.slice(1))]!))
  await using server = await startServer({ plugins: [files] })
  const { promise: mayRead, resolve } = Promise.withResolvers<void>()
  const slow = others(server.port, '/0', 0, mayRead)
  const quick = () => others(server.port, '/1', 1, Promise.resolve())
  // When it is through, the slow one waits for its client, too; then three at a time use all buffers that are free.
  expect(await quick()).toBe(0)
  expect(await Promise.all([quick(), quick(), quick()])).toEqual([0, 0, 0])
  resolve()
  expect(await slow).toBe(0)
})

test('pipelined requests each get their own, too', async () => {
  const { contents, files } = await random()
  await using server = await startServer({ plugins: [files] })
  await using client = await RawClient.connect(server.port)
  client.send(get('/0') + get('/1') + get('/2') + get('/1'))
  for (const which of [0, 1, 2, 1])
    expect((await client.response()).body.equals(contents[which]!), `/${which}`).toBe(true)
})

test('a large file goes through a few buffers', async () => {
  const { files } = await random()
  await using server = await startServer({ plugins: [files] })
  await using client = await RawClient.connect(server.port)
  takeAll()
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow')
  client.send(get('/0'))
  expect((await client.response()).body.length).toBe(SIZE)
  expect(made.mock.calls.filter(([size]) => size === READ_SIZE).length).toBeLessThan(6)
})

test('whoever iterates a file may keep the pieces', async () => {
  const { contents, paths } = await random()
  const path = paths[0]!
  const pieces: Buffer[] = []
  for await (const piece of new FileSlice(path, await stat(path))) pieces.push(piece)
  expect(Buffer.concat(pieces).equals(contents[0]!)).toBe(true)
})
