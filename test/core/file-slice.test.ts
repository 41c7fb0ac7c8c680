import { execFileSync } from 'node:child_process'
import { appendFile, readdir, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { FileSlice } from 'rawhttp'
import { expect, test } from 'vitest'
import { tempFile } from '../support/temp-file.ts'
import { needTool } from '../support/tools.ts'

const LARGE = 600_000

async function slice(content: string | Uint8Array = '0123456789') {
  const path = await tempFile('a.txt', content)
  return { path, file: new FileSlice(path, await stat(path)) }
}

async function read(file: FileSlice): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of file) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** Descriptors of this process that stand for a file. */
async function opened(path: string): Promise<number> {
  const links = (await readdir('/proc/self/fd')).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return (await Promise.all(links)).filter(link => link.startsWith(path)).length
}

test('a file is read whole, in pieces of at most 256 kB', async () => {
  const { file } = await slice(Buffer.alloc(LARGE, 'x'))
  const sizes: number[] = []
  for await (const piece of file) sizes.push(piece.length)
  expect(sizes).toEqual([262_144, 262_144, LARGE - 2 * 262_144])
  expect(file.length).toBe(LARGE)
})

test('a part of a part is counted from that part', async () => {
  const { file } = await slice()
  const part = file.slice(2, 8)
  expect([part.start, part.end, part.length]).toEqual([2, 8, 6])
  expect(await read(part.slice(1, 3))).toBe('34')
  expect(await read(part.slice(5))).toBe('7')
  expect(await read(file.slice(4, 4))).toBe('')
})

test.each([
  [-1, 3],
  [3, 2],
  [0, 11],
  [0.5, 2],
  [Number.NaN, 2],
  [0, Number.POSITIVE_INFINITY],
])('a part from %d to %d that the file does not have is refused', async (start, end) => {
  const { path, file } = await slice()
  expect(() => new FileSlice(path, file.identity, start, end)).toThrow(
    `FileSlice: expected a part of 10 bytes, got bytes ${start} to ${end} of ${path}`,
  )
  expect(() => file.slice(start, end)).toThrow(RangeError)
})

test('a part cannot reach out of the part that it is of', async () => {
  const { file } = await slice()
  expect(() => file.slice(2, 4).slice(-1, 1)).toThrow('FileSlice: bytes -1 to 1 are not within 2 bytes')
  expect(() => file.slice(2, 4).slice(0, 3)).toThrow('FileSlice: bytes 0 to 3 are not within 2 bytes')
})

test('it opens the file anew for each reader, and closes it when the reader leaves early', async () => {
  const { path, file } = await slice(Buffer.alloc(LARGE, 'x'))
  expect(await opened(path)).toBe(0)
  for await (const _ of file) {
    expect(await opened(path)).toBe(1)
    break
  }
  expect(await read(file)).toHaveLength(LARGE)
  await expect.poll(() => opened(path)).toBe(0)
})

test('a file that has changed since is not read as if it had not', async () => {
  const { path, file } = await slice()
  await utimes(path, new Date(1_000), new Date(1_000))
  await expect(read(file)).rejects.toThrow(`${path} changed while it was being served`)
  await writeFile(path, 'short')
  await expect(read(file)).rejects.toThrow('changed while it was being served')
  await expect.poll(() => opened(path)).toBe(0)
})

test('a file that ends early fails instead of ending', async () => {
  const { path, file } = await slice(Buffer.alloc(LARGE, 'x'))
  await expect(async () => {
    for await (const _ of file) await writeFile(path, 'short')
  }).rejects.toThrow(`${path} ends at 262144, expected ${LARGE} bytes`)
})

test('a file that is written to while it is read is not read to its end', async () => {
  const { path, file } = await slice(Buffer.alloc(LARGE, 'x'))
  let bytes = 0
  await expect(async () => {
    for await (const piece of file) {
      if (bytes === 0) await writeFile(path, Buffer.alloc(LARGE, 'y'))
      bytes += piece.length
    }
  }).rejects.toThrow(`${path} changed while it was being served`)
  expect(bytes).toBe(2 * 262_144)
})

test('a file that only grows is read as far as it went', async () => {
  const { path, file } = await slice(Buffer.alloc(LARGE, 'x'))
  let bytes = 0
  for await (const piece of file) {
    if (bytes === 0) await appendFile(path, 'more')
    bytes += piece.length
  }
  expect(bytes).toBe(LARGE)
})

test.runIf(process.platform === 'linux')('a file whose name is not UTF-8 is read by its bytes', async () => {
  const path = Buffer.concat([Buffer.from(await tempFile('a', '')), Buffer.from([0xff])])
  await writeFile(path, 'hidden in latin1')
  expect(await read(new FileSlice(path, await stat(path)).slice(10))).toBe('latin1')
})

test('a file that is gone is one that changed', async () => {
  const { path, file } = await slice()
  await rm(path)
  await expect(read(file)).rejects.toMatchObject({ code: 'FILE_CHANGED', message: `${path} is gone` })
})

test('what is no file any more is not waited for', async () => {
  const { path, file } = await slice('')
  await rm(path)
  // Nobody ever writes to it: opened in the common way, a thread would wait for that to the end of the process.
  execFileSync(needTool('mkfifo', 'coreutils'), [path])
  await expect(read(file)).rejects.toThrow(`${path} is no regular file any more`)
  await expect.poll(() => opened(path)).toBe(0)
})

test('one opening serves several reads, until whoever opened it closes it', async () => {
  const { path, file } = await slice()
  const open = await file.slice(1).open()
  const pieces: string[] = []
  for (const [start, end] of [
    [7, 9],
    [0, 2],
    [4, 4],
  ] as const)
    for await (const piece of open.read(start, end)) pieces.push(piece.toString())
  expect(pieces).toEqual(['78', '01'])
  expect(await opened(path)).toBe(1)
  open.close()
  await expect.poll(() => opened(path)).toBe(0)
})
