import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { findTool, missingTool } from '../support/tools.ts'

/** The server has one core for itself, the client the other: neither takes time that the other is charged with. */
export const cores = { server: 0, client: 1 }

const tools = { taskset: 'util-linux', h2load: 'nghttp2-client' }

/** Why no figure can be taken on this machine, in a sentence; null when one can. */
export function obstacle(): string | null {
  for (const [tool, debianPackage] of Object.entries(tools)) {
    if (findTool(tool) === undefined) return missingTool(tool, debianPackage)
  }
  if (availableParallelism() < 2) return 'This needs two cores: one for the server, one for the client.'
  return process.platform === 'linux' ? null : 'This needs Linux: CPU time is read from /proc.'
}

/** A command line that runs on one core, or on those of a list: `0,1`. taskset becomes the command, so the process id is the command's own. */
export const pinned = (core: number | string, command: readonly string[]): [string, string[]] => [
  'taskset',
  ['--cpu-list', String(core), ...command],
]

/** CPU time in microseconds. */
export interface CpuTime {
  readonly user: number
  readonly system: number
}

/** Ticks of 10 ms: what Linux shows to programs is counted so, whatever the kernel's own clock is. */
const microsecondsPerTick = 10_000

/** CPU time, user and system, that a process and all that it has started have taken so far, those that ended too. */
export const cpuMicroseconds = (pid: number): number => {
  const { user, system } = cpuTimeOf(pid)
  return user + system
}

/** The same, user and system apart. */
export function cpuTimeOf(pid: number): CpuTime {
  const [user, system, deadUser, deadSystem] = ticksOf(pid)
  const own = {
    user: (user + deadUser) * microsecondsPerTick,
    system: (system + deadSystem) * microsecondsPerTick,
  }
  return childrenOf(pid)
    .map(cpuTimeOf)
    .reduce((sum, time) => ({ user: sum.user + time.user, system: sum.system + time.system }), own)
}

/** The processes that a process has started from any of its threads, and that run. */
export function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  const lists = threads.map(thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'))
  return lists.flatMap(list => list.split(' ').filter(Boolean).map(Number))
}

/**
 * Fields 14 to 17: user and system time of the process, and of its children that have ended and were waited for. The
 * name in field 2 may hold blanks, so they are counted from the bracket that ends it.
 */
function ticksOf(pid: number): [number, number, number, number] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).map(Number) as [number, number, number, number]
}

/** The most memory that a process and its children have had, in bytes: the kernel counts each one's peak. */
export const peakOf = (pid: number): number => sumOf(pid, 'VmHWM')

/** The memory that a process and its children have now, in bytes. What they share counts for each. */
export const residentOf = (pid: number): number => sumOf(pid, 'VmRSS')

function sumOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  // One that has ended and waits to be asked how has no memory any more.
  const kilobytes = Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  return childrenOf(pid).reduce((sum, child) => sum + sumOf(child, field), kilobytes * 1024)
}
