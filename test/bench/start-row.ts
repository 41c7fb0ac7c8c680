import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ask } from './check.ts'
import { commandOf } from './contestants/rawhttp.ts'
import { cores, pinned } from './measure.ts'
import { startProcess } from './process.ts'
import type { Entry } from './result.ts'
import type { Row } from './rows.ts'
import type { Target } from './targets.ts'
import type { Tree } from './tree.ts'

const title = 'from start to the first byte served'
const help = 'rawhttp --help'
const bare = "node -e ''"

/** A row for the time until the welcome site answers, beside that of a Node which does nothing. */
export function startRow(targets: readonly Target[]): Row {
  return {
    id: 'start',
    title,
    peers: [help, bare],
    targets,
    async measure({ rounds, tree, against }) {
      const older = against === null ? [] : [starter(against.name, against.tree)]
      const runners = [
        starter('rawhttp', tree),
        ...older,
        ender(help, [join(tree.folder, 'bin/rawhttp.cjs'), '--help']),
        ender(bare, ['-e', '']),
      ]
      // Once before the first round, to fill the caches of the disk.
      for (const { run } of runners) await run()
      for (let round = 0; round < rounds; round++)
        for (const { run, samples } of runners) samples.push({ figure: await run() })
      return { id: 'start', title, targets, unit: 'ms', entries: runners, missing: [] }
    },
  }
}

interface Runner extends Entry {
  readonly samples: { figure: number }[]
  run(): Promise<number>
}

/** Of a server, until a client has its first answer. */
const starter = (name: string, tree: Tree): Runner => ({
  name,
  samples: [],
  async run() {
    const start = performance.now()
    await using server = await startProcess({ command: commandOf(tree), cwd: tree.folder, env: tree.env })
    const { status } = await ask(server.url)
    if (status !== 200) throw new Error(`${name}: the welcome page answered ${status}.`)
    return performance.now() - start
  },
})

/** Of a command, until it has ended. */
const ender = (name: string, args: readonly string[]): Runner => ({
  name,
  samples: [],
  async run() {
    const start = performance.now()
    const child = spawn(...pinned(cores.server, [process.execPath, ...args]), { stdio: 'ignore' })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${name} ended with code ${code}.`)
    return performance.now() - start
  },
})
