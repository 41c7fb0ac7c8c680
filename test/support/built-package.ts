import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/**
 * Builds the package of a checkout, as its own `npm run build` does, into an empty folder: not into the checkout's dist/,
 * which something else may be packing at the same time. The libraries are those of this checkout.
 *
 * @throws Error with what the build printed.
 */
export function buildPackage(folder: string, checkout: string = root): void {
  const files = readdirSync(checkout, { withFileTypes: true }).filter(entry => entry.isFile())
  for (const part of ['bin', 'core', 'plugins', ...files.map(({ name }) => name)])
    cpSync(join(checkout, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const { status, stdout, stderr, error } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm run build ended with code ${status ?? error}.\n${stdout}${stderr}`)
  for (const sources of ['core', 'plugins']) rmSync(join(folder, sources), { recursive: true })
}
