import { copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Assets, addressesOf } from './addresses.ts'
import { readDeclarations } from './declarations.ts'
import { checkLinks } from './links.ts'
import { type Rendered, render } from './markdown.ts'
import { pageHtml } from './page.ts'
import { fromRoot } from './root.ts'
import { searchIndex } from './search-index.ts'
import { readSources, type Section, type Source } from './sources.ts'

/** What was built. */
export interface Built {
  readonly pages: number
  readonly externalLinks: number
}

interface Page extends Rendered {
  readonly source: Source
  readonly title: string
}

/**
 * Builds the site into a folder, which it takes the place of.
 *
 * @throws Error when a page leads nowhere, shows what is not there, or an option has no description.
 */
export async function build(folder: string): Promise<Built> {
  const sections = await readSources(await readDeclarations())
  const assets: Assets = new Map()
  const pages = renderAll(sections, assets)
  const html = htmlOf(sections, pages)
  const own = ['style.css', 'search.js', 'favicon.svg']
  const files = new Set([
    ...own.map(name => `/${name}`),
    ...assets.values(),
    '/minisearch.js',
    '/search.json',
  ])
  const { dead, external } = checkLinks(html, files)
  if (dead.length > 0) throw new Error(dead.join('\n'))
  writeSite(
    folder,
    [
      ...[...html].map(([path, text]) => [`${path === '/' ? '/index' : path}.html`, text] as const),
      ['/404.html', notFound(sections, pages)],
      [
        '/search.json',
        searchIndex(pages.map(({ source, title, parts }) => ({ path: source.path, title, parts }))),
      ],
    ],
    assets,
  )
  return { pages: html.size, externalLinks: external }
}

function renderAll(sections: readonly Section[], assets: Assets): Page[] {
  const sources = sections.flatMap(({ pages }) => pages)
  const paths = new Map(sources.flatMap(({ file, path }) => (file === null ? [] : [[file, path] as const])))
  // The project's own README says in short what the site says at length.
  paths.set('README.md', '/')
  return sources.map(source => {
    const rendered = render(source.markdown, addressesOf(source, paths, assets))
    const title = rendered.headings.find(({ depth }) => depth === 1)?.text
    if (title === undefined) throw new Error(`${source.file ?? source.path}: expected a heading of level 1`)
    return { source, title, ...rendered }
  })
}

function navOf(sections: readonly Section[], pages: readonly Page[]) {
  const titles = new Map(pages.map(({ source, title }) => [source.path, title]))
  return sections.map(({ title, pages }) => ({
    title,
    pages: pages.map(({ path }) => ({ path, title: titles.get(path)! })),
  }))
}

function htmlOf(sections: readonly Section[], pages: readonly Page[]): Map<string, string> {
  const nav = navOf(sections, pages)
  return new Map(
    pages.map(({ source: { path }, title, html, headings, parts }) => {
      const description = sentence(parts.find(({ text }) => text !== '')?.text ?? title)
      return [path, pageHtml({ path, title, description, html, headings, nav })]
    }),
  )
}

const sentence = (text: string): string => /^.{20,200}?[.:](?= |$)/.exec(text)?.[0] ?? text.slice(0, 160)

function notFound(sections: readonly Section[], pages: readonly Page[]): string {
  const { html, headings } = render(
    '# {{status}} {{reason}}\n\nThere is no such page: search for it, or take one from the list.\n',
    {
      link: href => href,
      picture: () => ({ src: '', width: 0, height: 0 }),
    },
  )
  const nav = navOf(sections, pages)
  return pageHtml({
    path: '/404',
    title: '{{status}} {{reason}}',
    description: 'No such page.',
    html,
    headings,
    nav,
  })
}

/** Writes beside the folder and takes its place at the end: a build that fails, or is seen half done, harms nobody. */
function writeSite(
  folder: string,
  texts: readonly (readonly [path: string, text: string])[],
  assets: Assets,
): void {
  mkdirSync(dirname(folder), { recursive: true })
  const next = mkdtempSync(`${folder}-`)
  const place = (path: string): string => {
    const file = join(next, path)
    mkdirSync(dirname(file), { recursive: true })
    return file
  }
  for (const [path, text] of texts) writeFileSync(place(path), text)
  for (const [file, address] of assets) copyFileSync(fromRoot(file), place(address))
  cpSync(fromRoot('sites/docs/assets'), next, { recursive: true })
  copyFileSync(fromRoot('node_modules/minisearch/dist/es/index.js'), place('/minisearch.js'))
  copyFileSync(fromRoot('node_modules/minisearch/LICENSE.txt'), place('/minisearch.LICENSE.txt'))
  rmSync(folder, { recursive: true, force: true })
  renameSync(next, folder)
}

if (import.meta.main) {
  const folder = fromRoot('sites/docs/public')
  const { pages, externalLinks } = await build(folder)
  console.log(
    `${pages} pages in sites/docs/public; ${externalLinks} links to other sites, which nobody has followed.`,
  )
}
