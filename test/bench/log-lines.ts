import { createReadStream } from 'node:fs'
import { setTimeout as later } from 'node:timers/promises'

const LF = 0x0a
/** How often it is looked whether the lines that are missing have come, and how long, in milliseconds. */
const every = 50
const patience = 3_000

/**
 * Counts the lines of a log whose writer may keep the last ones for a moment.
 *
 * @param expected It waits for so many, up to 3 s.
 */
export async function linesWritten(path: string, expected: number): Promise<number> {
  for (let waited = 0; ; waited += every) {
    const lines = await countLines(path)
    if (lines >= expected || waited >= patience) return lines
    await later(every)
  }
}

async function countLines(path: string): Promise<number> {
  let lines = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines++
  }
  return lines
}
