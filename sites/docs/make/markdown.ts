import { Marked, type Renderer, type Tokens } from 'marked'
import { escapeHtml } from 'rawhttp'
import { highlighted } from './highlight.ts'
import { Slugs } from './slug.ts'

/** A heading of a page. */
export interface Heading {
  readonly id: string
  readonly depth: number
  /** Without markup. */
  readonly text: string
}

/** Text under one heading, for the search. */
export interface Part {
  readonly heading: Heading
  readonly text: string
}

/** What becomes of a page's Markdown. */
export interface Rendered {
  readonly html: string
  readonly headings: readonly Heading[]
  readonly parts: readonly Part[]
}

/** Where the addresses in a page lead on the site. */
export interface Addresses {
  link(href: string): string
  picture(href: string): { readonly src: string; readonly width: number; readonly height: number }
}

const plain = new Marked()

/** The text of inline Markdown. */
const textOf = (tokens: readonly { readonly type: string }[]): string =>
  (tokens as Tokens.Generic[])
    .map(({ tokens, text }) => (tokens === undefined ? unescaped(String(text ?? '')) : textOf(tokens)))
    .join('')

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

/** Makes HTML of a page's Markdown. */
export function render(markdown: string, addresses: Addresses): Rendered {
  const headings: Heading[] = []
  const slugs = new Slugs()
  const renderer = {
    heading(this: Renderer, { depth, tokens }: Tokens.Heading) {
      const text = textOf(tokens)
      const id = slugs.next(text)
      headings.push({ id, depth, text })
      const inner = this.parser.parseInline(tokens)
      if (depth === 1) return `<h1 id="${id}">${inner}</h1>\n`
      return `<h${depth} id="${id}">${inner} <a class="anchor" href="#${id}" aria-label="Link to ${escapeHtml(text)}">#</a></h${depth}>\n`
    },
    code({ text, lang = '' }: Tokens.Code) {
      const [language = '', info = ''] = lang.split(/\s+/)
      const file = /^[\w-]+[./]/.test(info) ? `<p class="file">${escapeHtml(info)}</p>` : ''
      return `<div class="code" tabindex="0" role="group" aria-label="Code">${file}<pre><code>${highlighted(text, language)}</code></pre></div>\n`
    },
    table(this: Renderer, token: Tokens.Table) {
      const row = (cells: readonly Tokens.TableCell[], tag: 'th' | 'td') => {
        const attribute = tag === 'th' ? ' scope="col"' : ''
        return `<tr>${cells.map(({ tokens }) => `<${tag}${attribute}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`
      }
      const body = token.rows.map(cells => row(cells, 'td')).join('\n')
      return `<div class="wide" tabindex="0" role="group" aria-label="Table"><table><thead>${row(token.header, 'th')}</thead><tbody>\n${body}\n</tbody></table></div>\n`
    },
    link(this: Renderer, { href, tokens }: Tokens.Link) {
      return `<a href="${escapeHtml(addresses.link(href))}">${this.parser.parseInline(tokens)}</a>`
    },
    image({ href, text }: Tokens.Image) {
      const { src, width, height } = addresses.picture(href)
      return `<img src="${escapeHtml(src)}" alt="${escapeHtml(text)}" width="${width}" height="${height}">`
    },
    // Comments are for the tests of the pages; other HTML there is none.
    html({ text }: Tokens.HTML | Tokens.Tag) {
      if (/^\s*<!--.*-->\s*$/s.test(text)) return ''
      throw new Error(`HTML in Markdown: ${text.trim()}`)
    },
  }
  const marked = new Marked({ renderer })
  return { html: marked.parse(markdown, { async: false }), headings, parts: partsOf(markdown) }
}

/** The text of a page by its headings, code left out. */
function partsOf(markdown: string): Part[] {
  const parts: { heading: Heading; text: string }[] = []
  const slugs = new Slugs()
  for (const token of plain.lexer(markdown)) {
    if (token.type === 'heading') {
      const { depth, tokens } = token as Tokens.Heading
      const text = textOf(tokens)
      parts.push({ heading: { id: slugs.next(text), depth, text }, text: '' })
      continue
    }
    const part = parts.at(-1)
    if (part !== undefined) part.text += ` ${blockText(token as Tokens.Generic)}`
  }
  return parts.map(({ heading, text }) => ({ heading, text: text.replaceAll(/\s+/g, ' ').trim() }))
}

function blockText(token: Tokens.Generic): string {
  if (token.type === 'code' || token.type === 'html' || token.type === 'space') return ''
  if (token.type === 'table') {
    const { header, rows } = token as Tokens.Table
    return [header, ...rows].flatMap(cells => cells.map(({ tokens }) => textOf(tokens))).join(' ')
  }
  if (token.type === 'list')
    return (token as Tokens.List).items
      .flatMap(({ tokens }) => tokens.map(each => blockText(each as Tokens.Generic)))
      .join(' ')
  return token.tokens === undefined ? '' : textOf(token.tokens)
}
