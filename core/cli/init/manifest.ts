import { ownManifest } from '../version.ts'
import type { PluginNames } from './names.ts'
import type { Manifest } from './scaffold.ts'

/** The package.json of a site. */
export function siteManifest(name: string): Manifest {
  const { version, engines } = ownManifest()
  return {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines,
    scripts: {
      start: 'rawhttp start',
      dev: 'rawhttp start --watch',
      check: 'tsc && rawhttp check',
      test: 'vitest run',
    },
    dependencies: { rawhttp: `^${version}` },
    devDependencies: tools(),
  }
}

/** The package.json of a plugin: published as JavaScript, since Node strips no types under node_modules. */
export function pluginManifest({ package: name, plugin }: PluginNames): Manifest {
  const { version, engines } = ownManifest()
  return {
    name,
    version: '0.1.0',
    description: `${plugin}: a plugin for rawhttp that answers a path with a text.`,
    keywords: ['rawhttp', 'rawhttp-plugin'],
    type: 'module',
    engines,
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    files: ['dist'],
    sideEffects: false,
    scripts: {
      build: `node -e "fs.rmSync('dist', { recursive: true, force: true })" && tsc -p tsconfig.build.json`,
      check: 'tsc',
      test: 'vitest run',
      prepack: 'npm run build',
    },
    peerDependencies: { rawhttp: `^${version}` },
    devDependencies: sorted({ ...tools(), rawhttp: `^${version}` }),
  }
}

/** What this very package is built and tested with. */
function tools(): Record<string, string> {
  const { devDependencies } = ownManifest()
  return Object.fromEntries(
    ['@types/node', 'typescript', 'vitest'].map(name => [name, devDependencies[name]!]),
  )
}

/** As npm sorts them. */
const sorted = (packages: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
