import { escapeHtml } from 'rawhttp'
import type { Heading } from './markdown.ts'

/** A page as the navigation knows it. */
interface NavPage {
  readonly path: string
  readonly title: string
}

/** A heading of the navigation. */
interface NavSection {
  readonly title: string
  readonly pages: readonly NavPage[]
}

/** A whole page of the site. */
export interface PageParts {
  readonly path: string
  readonly title: string
  readonly description: string
  readonly html: string
  readonly headings: readonly Heading[]
  readonly nav: readonly NavSection[]
}

/** The HTML of a page: it needs no script, and its policy allows none within it. */
export function pageHtml(page: PageParts): string {
  const title = page.path === '/' ? page.title : `${page.title} · rawhttp`
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escapeHtml(title)}</title>
  <meta name="description" content="${escapeHtml(page.description)}">
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
  <script src="/search.js" type="module"></script>
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
  <header class="top">
    <a class="mark" href="/">rawhttp <span>docs</span></a>
    <form class="search" role="search" hidden>
      <label for="query">Search</label>
      <input id="query" type="search" placeholder="Search" autocomplete="off" spellcheck="false" aria-describedby="found" aria-controls="hits">
      <kbd aria-hidden="true">/</kbd>
      <div class="results" hidden>
        <p id="found" role="status"></p>
        <ul id="hits"></ul>
      </div>
    </form>
  </header>
  <div class="columns">
    <details class="menu">
      <summary>All pages</summary>
      <nav aria-label="All pages">
${page.nav.map(section => sectionHtml(section, page.path)).join('\n')}
      </nav>
    </details>
    <main id="main" tabindex="-1">
${contentsHtml(page.headings)}
<article>
${page.html}</article>
${nextHtml(page)}
    </main>
  </div>
</body>
</html>
`
}

function sectionHtml({ title, pages }: NavSection, current: string): string {
  const items = pages.map(
    page =>
      `<li><a href="${page.path}"${page.path === current ? ' aria-current="page"' : ''}>${escapeHtml(page.title)}</a></li>`,
  )
  return `<h2>${title}</h2>\n<ul>\n${items.join('\n')}\n</ul>`
}

function contentsHtml(headings: readonly Heading[]): string {
  const shown = headings.filter(({ depth }) => depth === 2)
  if (shown.length < 2) return ''
  const items = shown.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`)
  return `<details class="contents"><summary>On this page</summary><nav aria-label="On this page"><ul>\n${items.join('\n')}\n</ul></nav></details>`
}

function nextHtml({ nav, path }: PageParts): string {
  const all = nav.flatMap(({ pages }) => pages)
  const at = all.findIndex(page => page.path === path)
  const link = (page: NavPage | undefined, rel: string, word: string) =>
    page === undefined
      ? ''
      : `<a rel="${rel}" href="${page.path}"><span>${word}</span> ${escapeHtml(page.title)}</a>`
  return `<nav class="turn" aria-label="Next pages">${link(all[at - 1], 'prev', 'Before')}${link(all[at + 1], 'next', 'Next')}</nav>`
}
