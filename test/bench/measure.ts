import { readFileSync } from 'node:fs'
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

/** Ticks of 10 ms: what Linux shows to programs is counted so, whatever the kernel's own clock is. */
const microsecondsPerTick = 10_000

/** CPU time, user and system, that a process and the children it has have taken so far. */
export function cpuMicroseconds(pid: number): number {
  const own = ticksOf(pid) * microsecondsPerTick
  return childrenOf(pid).reduce((sum, child) => sum + cpuMicroseconds(child), own)
}

/** The processes that a process has started, and that run. */
export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return children.filter(Boolean).map(Number)
}

/** Fields 14 and 15. The name in field 2 may hold blanks, so they are counted from the bracket that ends it. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
