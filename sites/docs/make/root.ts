import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** A path of the project as an absolute one. */
export const fromRoot = (...path: readonly string[]): string => join(root, ...path)

/** All plugins, by name. */
export const pluginNames = (): string[] =>
  globSync('plugins/*/index.ts', { cwd: root })
    .map(file => basename(dirname(file)))
    .sort()

/** Whether a plugin has a page of its own. */
export const hasPage = (plugin: string): boolean => existsSync(fromRoot('plugins', plugin, 'README.md'))
