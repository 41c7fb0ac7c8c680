import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { cores, pinned } from './measure.ts'

const root = join(import.meta.dirname, '../..')

/** Milliseconds from start to end of a process, one value a round. */
export interface HelpTimes {
  readonly help: readonly number[]
  readonly bare: readonly number[]
}

/** What `rawhttp --help` costs over a Node that does nothing, in turn. */
export function compareHelp(rounds: number): HelpTimes {
  const times = { help: [] as number[], bare: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const bare = milliseconds(['-e', ''])
    const help = milliseconds(['--conditions=rawhttp-source', 'core/cli.ts', '--help'])
    // The first round fills the caches of the disk.
    if (round === 0) continue
    times.bare.push(bare)
    times.help.push(help)
  }
  return times
}

function milliseconds(args: readonly string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(...pinned(cores.server, [process.execPath, ...args]), { cwd: root })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with code ${status}.\n${stderr}`)
  return performance.now() - start
}
