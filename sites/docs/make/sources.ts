import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { apiPages, pluginExports } from './api.ts'
import { commandLinePage } from './command-line.ts'
import type { Declarations } from './declarations.ts'
import { configOptionsPage, pluginOptionsPage } from './options-page.ts'
import { fromRoot, hasPage, pluginNames } from './root.ts'

/** A page before it is HTML. */
export interface Source {
  /** Where it is served, without `.html`: `/cookbook/downloads`. */
  readonly path: string
  /** The Markdown file that it is made of, from the project's root; null for one that is made of sources. */
  readonly file: string | null
  readonly markdown: string
}

/** Pages under one heading of the navigation. */
export interface Section {
  readonly title: string
  readonly pages: readonly Source[]
}

const guide = [
  'start',
  'request-line',
  'hooks',
  'reload',
  'tls',
  'virtual-hosts',
  'behind-a-proxy',
  'deploy',
  'workers',
  'stopping',
]
const recipes = ['single-page-app', 'many-sites', 'behind-nginx', 'downloads', 'event-streams', 'own-auth']
const project = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']

/** All pages, in the order of the navigation. */
export async function readSources(declarations: Declarations): Promise<Section[]> {
  const plugins = pluginNames()
  return [
    {
      title: 'Guide',
      pages: [fromFile('docs/README.md', '/'), ...guide.map(name => fromFile(`docs/${name}.md`))],
    },
    { title: 'Cookbook', pages: recipes.map(name => fromFile(`docs/cookbook/${name}.md`)) },
    {
      title: 'Plugins',
      pages: [
        fromFile('docs/plugin-guide.md'),
        fromFile('docs/testing-plugins.md'),
        ...plugins
          .filter(hasPage)
          .map(name => withExports(fromFile(`plugins/${name}/README.md`), name, declarations)),
      ],
    },
    {
      title: 'Reference',
      pages: [
        made('/reference/config', configOptionsPage()),
        made('/reference/plugin-options', await pluginOptionsPage(plugins)),
        made('/reference/command-line', commandLinePage()),
        fromFile('docs/limits.md'),
        fromFile('docs/refusals.md'),
        ...apiPages(declarations).map(({ path, markdown }) => made(path, markdown)),
      ],
    },
    {
      title: 'Project',
      pages: [fromFile('docs/comparison.md'), ...project.map(file => fromFile(file))],
    },
  ]
}

const made = (path: string, markdown: string): Source => ({ path, file: null, markdown })

function fromFile(file: string, path = pathOf(file)): Source {
  return { path, file, markdown: readFileSync(fromRoot(file), 'utf8') }
}

/** `docs/cookbook/downloads.md` is `/cookbook/downloads`, `plugins/tls/README.md` is `/plugins/tls`. */
function pathOf(file: string): string {
  const name = file.replace(/^docs\//, '').replace(/\/README\.md$|\.md$/, '')
  return posix.join('/', name.toLowerCase())
}

function withExports(source: Source, plugin: string, declarations: Declarations): Source {
  return { ...source, markdown: `${source.markdown}\n${pluginExports(plugin, declarations)}` }
}
