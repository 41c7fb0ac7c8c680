import { cp, mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { buildPackage } from '../../support/built-package.ts'
import { run } from './shell.ts'

const root = join(import.meta.dirname, '../../..')
const modules = join(root, 'node_modules')

/**
 * Packs the package as `npm pack` does in the checkout, but built in a folder of its own, so that another test may
 * build at the same time. Gives the folder that the tarball holds.
 */
export async function packed(folder: string): Promise<string> {
  const source = join(folder, 'source')
  await mkdir(source)
  buildPackage(source)
  return await unpacked(source, folder)
}

/** Packs a package, and gives the folder that its tarball holds. */
export async function unpacked(source: string, folder: string): Promise<string> {
  const { stdout } = await run(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder],
    source,
  )
  await run('tar', ['-xzf', stdout.trim()], folder)
  const target = join(folder, stdout.trim().replace(/\.tgz$/, ''))
  await cp(join(folder, 'package'), target, { recursive: true })
  await rm(join(folder, 'package'), { recursive: true })
  return target
}

/** What `npm install` would do in a project, without a network: the given package, all others from this checkout. */
export async function install(project: string, packages: Readonly<Record<string, string>>): Promise<void> {
  const own = join(project, 'node_modules')
  await mkdir(join(own, '.bin'), { recursive: true })
  const names = (await readdir(modules)).filter(
    name => !name.startsWith('.') && !Object.hasOwn(packages, name),
  )
  await Promise.all(names.map(name => symlink(join(modules, name), join(own, name))))
  for (const [name, folder] of Object.entries(packages))
    await cp(folder, join(own, name), { recursive: true })
  for (const tool of ['node', 'tsc', 'vitest'])
    await symlink(join(modules, '.bin', tool), join(own, '.bin', tool))
  await symlink('../rawhttp/bin/rawhttp.cjs', join(own, '.bin/rawhttp'))
}
