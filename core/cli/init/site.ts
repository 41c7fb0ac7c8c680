import { mergeIgnore, mergeManifest } from './merge.ts'
import type { Manifest, Scaffold } from './scaffold.ts'
import { errorPage, icon, page, style } from './site-pages.ts'
import { config, helloApi, siteModule, siteTest } from './site-sources.ts'
import { compilerOptions } from './tsconfig.ts'

interface SiteOptions {
  readonly name: string
  readonly manifest: Manifest
  /**
   * That of the modules. `mts` where a package.json that is there already does not say `"type": "module"`: Node and
   * TypeScript then take `.ts` for CommonJS, and a type put in would change what its other files are.
   */
  readonly extension: 'ts' | 'mts'
}

/** What is added to a package.json that is there already: what the site needs to run, and nothing it says of itself. */
const added = ['scripts', 'dependencies', 'devDependencies']

/** A site with a page, a route, a page for errors and a test, and a config that serves it. */
export function siteScaffold({ name, manifest, extension: ts }: SiteOptions): Scaffold {
  const manifestText = `${JSON.stringify(manifest, null, 2)}\n`
  return {
    what: 'a site',
    files: [
      { path: 'package.json', text: manifestText, merge: text => mergeManifest(text, manifest, added) },
      { path: '.gitignore', text: ignored, merge: text => mergeIgnore(text, ignored) },
      { path: 'tsconfig.json', text: tsconfig(ts) },
      { path: `rawhttp.config.${ts}`, text: config(ts) },
      { path: `site/index.${ts}`, text: siteModule(ts) },
      { path: `site/api/hello.${ts}`, text: helloApi },
      { path: 'site/error.html', text: errorPage },
      { path: 'site/public/index.html', text: page(name, ts) },
      { path: 'site/public/style.css', text: style },
      { path: 'site/public/icon.svg', text: icon },
      { path: `test/site.test.${ts}`, text: siteTest(ts) },
    ],
    scripts: manifest.scripts,
    next: [
      ['dev', 'serves it on http://localhost:8080, anew after every change'],
      ['test', 'asks it for its pages, without a port'],
      ['check', 'types, and the config'],
    ],
  }
}

const ignored = 'node_modules/\n'

const tsconfig = (ts: string): string => `{
  ${compilerOptions(['es2024'], 'allowImportingTsExtensions')},
  "include": ["rawhttp.config.${ts}", "site", "test"],
  "exclude": ["site/public"]
}
`
