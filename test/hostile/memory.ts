import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as later } from 'node:timers/promises'

export const MB = 1_048_576

/** What a process has taken, in bytes. */
export interface Memory {
  /** As it stands, with garbage and V8's room for it. */
  readonly uncollected: number
  /** Of the whole process, when all that is dead is gone. */
  readonly rss: number
  /** What V8 and Node count then. */
  readonly heap: number
}

/** V8's most thorough collection: it gives back the room for garbage, too, which depends on the traffic before. */
const thorough = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

/** Memory of this process, which runs with `--expose-gc`. */
export async function memoryNow(): Promise<Memory> {
  const uncollected = process.memoryUsage.rss()
  // What a first collection sets free may be held by a second one's finalizers.
  for (let round = 0; round < 3; round++) {
    globalThis.gc!(thorough)
    await later(0)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { uncollected, rss, heap: heapUsed + external }
}

export const rssOf = (pid: number): number => kilobytesOf(pid, 'VmRSS') * 1024

/** The most that a process has had since {@link forgetPeak}: the kernel counts it, so nothing slips between samples. */
export const peakOf = (pid: number): number => kilobytesOf(pid, 'VmHWM') * 1024

/** Makes what a process has now its peak. Gives that. */
export function forgetPeak(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return rssOf(pid)
}

function kilobytesOf(pid: number, name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line![1])
}

/** How many files and sockets this process may have open. */
export function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]!
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

const SAMPLES = 15
/** More than a collection now and then; a queue that grows passes it in one sample. */
const TREMBLE = MB

/**
 * When the memory of a process has stopped to move, which it does when nothing flows any more.
 *
 * @throws Error when it never does.
 */
export async function steady(pid: number): Promise<void> {
  const samples: number[] = []
  for (let taken = 0; taken < 3_000; taken++) {
    samples.push(rssOf(pid))
    if (samples.length > SAMPLES) samples.shift()
    if (samples.length === SAMPLES && Math.max(...samples) - Math.min(...samples) < TREMBLE) return
    await later(10)
  }
  throw new Error(`the memory of process ${pid} never came to rest`)
}

/** What the kernel takes for one connection whose client does not read, in pages. */
const PAGES_UNREAD = 1_024

/**
 * How many clients of TCP may leave their answers unread: together they take an eighth of what the kernel has for
 * TCP before it limits everybody on the machine.
 */
export function kernelRoom(): number {
  const [, pressure] = readFileSync('/proc/sys/net/ipv4/tcp_mem', 'utf8').split(/\s+/).map(Number)
  return Math.floor(pressure! / 8 / PAGES_UNREAD)
}
