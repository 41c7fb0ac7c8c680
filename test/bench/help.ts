import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cores, pinned } from './measure.ts'

const root = join(import.meta.dirname, '../..')

/** Milliseconds from start to end of a process, one value a round. */
export interface HelpTimes {
  readonly help: readonly number[]
  readonly bare: readonly number[]
}

/**
 * What `rawhttp --help` costs over a Node that does nothing, in turn. It is the built command, as it is published:
 * from sources, Node would spend most of the time on taking the types out.
 */
export function compareHelp(rounds: number): HelpTimes {
  const folder = mkdtempSync(join(tmpdir(), 'rawhttp-built-'))
  try {
    build(folder)
    const times = { help: [] as number[], bare: [] as number[] }
    const help = [join(folder, 'bin/rawhttp.cjs'), '--help']
    // Once before the first round, to fill the caches of the disk.
    milliseconds(help)
    for (let round = 0; round < rounds; round++) {
      times.bare.push(milliseconds(['-e', '']))
      times.help.push(milliseconds(help))
    }
    return times
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Not in the checkout's own dist/, which a test may be packing at the same time. */
function build(folder: string): void {
  for (const part of ['bin', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const config = join(root, 'tsconfig.build.json')
  succeed(process.execPath, [tsc, '--project', config, '--outDir', join(folder, 'dist')])
}

function milliseconds(args: readonly string[]): number {
  const start = performance.now()
  succeed(...pinned(cores.server, [process.execPath, ...args]))
  return performance.now() - start
}

function succeed(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with code ${status}.\n${stdout}${stderr}`)
}
