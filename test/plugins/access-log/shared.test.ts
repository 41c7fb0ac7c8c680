import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { LogOutput } from '../../../plugins/access-log/output.ts'
import { needTool } from '../../support/tools.ts'
import { linesOf, tempFolder } from './log.ts'

/** A pipe that can take all that a test writes, and what is in it, write by write where the reader is as fast. */
async function pipe() {
  const mkfifo = needTool('mkfifo', 'coreutils')
  const path = join(await tempFolder(), 'pipe')
  execFileSync(mkfifo, [path])
  const reader = await open(path, constants.O_RDWR | constants.O_NONBLOCK)
  onTestFinished(() => reader.close())
  return { path, reader }
}

/** The sizes of the writes of an output. */
async function writesOf(output: LogOutput, lines: readonly string[]): Promise<number[]> {
  const sizes: number[] = []
  const wrote = output.wrote.bind(output)
  vi.spyOn(output, 'wrote').mockImplementation(bytes => {
    sizes.push(bytes)
    wrote(bytes)
  })
  for (const line of lines) output.write(line)
  await output.end()
  return sizes
}

const lineOf = (size: number, at: number): string => `${String.fromCharCode(97 + (at % 26)).repeat(size)}\n`

describe('a pipe that several processes write to', () => {
  beforeEach(() => void needTool('mkfifo', 'coreutils'))

  test('gets whole lines, of at most 4,096 bytes a write', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4_095 }), { minLength: 1, maxLength: 25 }),
        async all => {
          const { path, reader } = await pipe()
          const output = new LogOutput({ path, isShared: true })
          await output.open()
          expect(output.longest).toBe(4_096)
          const lines = all.slice(0, 15).map(lineOf)
          const sizes = await writesOf(output, lines)
          const { bytesRead, buffer } = await reader.read(Buffer.alloc(65_536))
          const text = buffer.toString('latin1', 0, bytesRead)
          expect(text).toBe(lines.join(''))
          let from = 0
          for (const size of sizes) {
            expect(size).toBeLessThanOrEqual(4_096)
            expect(text[from + size - 1]).toBe('\n')
            from += size
          }
          expect(from).toBe(text.length)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('gets a line that is longer by itself', async () => {
    const { path } = await pipe()
    const output = new LogOutput({ path, isShared: true })
    await output.open()
    const sizes = await writesOf(output, [lineOf(10, 0), lineOf(9_000, 1), lineOf(20, 2), lineOf(30, 3)])
    expect(sizes).toEqual([11, 9_001, 52])
  })
})

test.each([
  ['a file', true],
  ['a pipe of one process', false],
])('%s takes lines of any length', async (_, isShared) => {
  const path = isShared ? join(await tempFolder(), 'log') : (await pipe()).path
  const output = new LogOutput({ path, isShared })
  await output.open()
  expect(output.longest).toBe(Number.POSITIVE_INFINITY)
  const sizes = await writesOf(
    output,
    Array.from({ length: 20 }, (_, at) => lineOf(999, at)),
  )
  expect(sizes).toEqual([20_000])
  if (isShared) expect(linesOf(await readFile(path, 'latin1'))).toHaveLength(20)
})
