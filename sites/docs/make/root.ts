import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** A path of the project as an absolute one. */
export const fromRoot = (...path: readonly string[]): string => join(root, ...path)

/** The plugins that have a page, by name. */
export const pluginNames = (): string[] =>
  globSync('plugins/*/README.md', { cwd: root })
    .map(file => basename(dirname(file)))
    .sort()
