import { mergeIgnore, mergeManifest } from './merge.ts'
import type { PluginNames } from './names.ts'
import { readme } from './plugin-readme.ts'
import { optionsSource, pluginSource, pluginTest } from './plugin-sources.ts'
import type { Manifest, Scaffold } from './scaffold.ts'
import { compilerOptions } from './tsconfig.ts'

/** The package of a plugin: its source, the options that it reads, a test, and what is needed to publish it. */
export function pluginScaffold(names: PluginNames, manifest: Manifest): Scaffold {
  const manifestText = `${JSON.stringify(manifest, null, 2)}\n`
  const merge = (text: string) => mergeManifest(text, manifest, Object.keys(manifest))
  return {
    what: 'a plugin',
    files: [
      { path: 'package.json', text: manifestText, merge },
      { path: '.gitignore', text: ignored, merge: text => mergeIgnore(text, ignored) },
      { path: 'README.md', text: readme(names) },
      { path: 'tsconfig.json', text: tsconfig },
      { path: 'tsconfig.build.json', text: tsconfigBuild },
      { path: 'src/index.ts', text: pluginSource(names) },
      { path: 'src/options.ts', text: optionsSource(names) },
      { path: 'test/index.test.ts', text: pluginTest(names) },
    ],
    scripts: manifest.scripts,
    next: [
      ['test', 'the sources, in a server without a port'],
      ['check', 'types'],
      ['build', 'dist/, which is what npm publish sends'],
    ],
  }
}

const ignored = 'node_modules/\ndist/\n*.tgz\n'

const tsconfig = `{
  ${compilerOptions(['es2024', 'esnext.disposable'], 'rewriteRelativeImportExtensions')},
  "include": ["src", "test"]
}
`

const tsconfigBuild = `{
  "extends": "./tsconfig.json",
  "compilerOptions": {
    "noEmit": false,
    "rootDir": "src",
    "outDir": "dist",
    "declaration": true
  },
  "include": ["src"]
}
`
