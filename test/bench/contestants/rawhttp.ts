import { join } from 'node:path'
import { startProcess } from '../process.ts'
import type { Tree } from '../tree.ts'
import type { Contestant } from './contestant.ts'

/** Which config of the tree: that of `npm start`, or that with something on top. */
export type ConfigName = 'rawhttp' | 'routes' | 'tls'

/** The built command, with the access log that the config writes to stdout in a file. */
export function rawhttp(tree: Tree, config: ConfigName = 'rawhttp', name = 'rawhttp'): Contestant {
  return {
    name,
    log: 'access.log',
    missing: () => null,
    isNode: true,
    start: ({ folder, cert, key, nodeOptions }) =>
      startProcess({
        command: commandOf(tree, config, nodeOptions),
        cwd: tree.folder,
        stdout: join(folder, 'access.log'),
        env: { ...tree.env, BENCH_CERT: cert, BENCH_KEY: key },
      }),
  }
}

/** The command line that serves a tree's site on a free port. */
export const commandOf = (
  { folder }: Tree,
  config: ConfigName = 'rawhttp',
  nodeOptions: readonly string[] = [],
): string[] => [
  process.execPath,
  ...nodeOptions,
  join(folder, 'bin/rawhttp.cjs'),
  'start',
  '--port',
  '0',
  '--config',
  join(folder, `${config}.config.ts`),
]
