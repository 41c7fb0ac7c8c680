import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildPackage } from '../support/built-package.ts'
import { writeMaterial } from './material.ts'
import { tempFolder } from './temp-folder.ts'

const root = join(import.meta.dirname, '../..')

/** rawhttp as it is published, with its welcome site: what the benchmark runs. */
export interface Tree extends Disposable {
  readonly folder: string
  /** The static files of its site, those of the benchmark among them. */
  readonly files: string
  /** What its servers find in their environment: a folder of the tree for what Node compiles. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Builds a checkout into a temporary folder.
 *
 * @param checkout Default: this one.
 */
export function buildTree(checkout: string = root): Tree {
  using stack = new DisposableStack()
  const { path: folder } = stack.use(tempFolder('built'))
  buildPackage(folder, checkout)
  cpSync(join(checkout, 'sites'), join(folder, 'sites'), { recursive: true })
  addConfigs(folder)
  const files = join(folder, 'sites/welcome/public')
  writeMaterial(files)
  const whole = stack.move()
  const env = { XDG_CACHE_HOME: join(folder, 'cache') }
  return { folder, files, env, [Symbol.dispose]: () => whole.dispose() }
}

/** The configs of rows that need more than the welcome site has: its own config, and something on top (config.ts). */
function addConfigs(folder: string): void {
  mkdirSync(join(folder, 'test/bench'), { recursive: true })
  cpSync(join(import.meta.dirname, 'config.ts'), join(folder, 'test/bench/config.ts'))
  for (const [name, change] of [
    ['routes', 'withRoutes'],
    ['tls', 'withTls'],
  ]) {
    const lines = [
      "import config from './rawhttp.config.ts'",
      `import { ${change} } from './test/bench/config.ts'`,
      `export default ${change}(config)`,
    ]
    writeFileSync(join(folder, `${name}.config.ts`), `${lines.join('\n')}\n`)
  }
}

/**
 * An older commit of this repository, built the same way, with the libraries of this checkout.
 *
 * @param reference What git calls it: `HEAD~3`, `v1.2.0`.
 * @throws Error with what git or the compiler says.
 */
export function buildReference(reference: string): Tree {
  using stack = new DisposableStack()
  const { path: worktree } = stack.use(tempFolder('against'))
  git('worktree', 'add', '--detach', '--force', worktree, reference)
  stack.defer(() => git('worktree', 'remove', '--force', worktree))
  symlinkSync(join(root, 'node_modules'), join(worktree, 'node_modules'))
  return buildTree(worktree)
}

/** In this repository, whoever owns its files: in containers that is often another user. */
function git(...args: readonly string[]): void {
  const all = ['-c', `safe.directory=${root}`, ...args]
  const { status, stdout, stderr, error } = spawnSync('git', all, { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  throw new Error(`git ${all.join(' ')} ended with code ${status ?? error}.\n${stdout}${stderr}`)
}
