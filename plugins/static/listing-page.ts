import { escapeHtml } from 'rawhttp'
import { fromSegment, toText } from './byte-text.ts'
import type { Listed, Listing } from './listing.ts'

const style = `:root{color-scheme:light dark;--line:#8884;--faint:light-dark(#5c6370,#a0a8b4);--link:light-dark(#0b57d0,#8ab4f8)}
body{margin:2rem auto;padding:0 1rem;max-width:60rem;font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}
a{color:var(--link);text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}
table{width:100%;border-collapse:collapse}
th{text-align:start;font-weight:600;color:var(--faint)}
th,td{padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{overflow-wrap:anywhere}
.size,.time{white-space:nowrap;color:var(--faint);font-variant-numeric:tabular-nums}
th.size,td.size{text-align:end}
p{color:var(--faint)}`

/** Nothing runs in the page, whatever a name may hold; its own style is known by its hash. */
export function pagePolicy(): string {
  policy ??= `default-src 'none'; style-src 'sha256-${hashOf(style)}'; img-src 'self'; base-uri 'none'; form-action 'none'`
  return policy
}

let policy: string | undefined

// Only who lists folders loads node:crypto.
const hashOf = (text: string): string =>
  process.getBuiltinModule('node:crypto').hash('sha256', text, 'base64')

/** A folder as a page. All that comes from the disk or the request is escaped. */
export function listingPage({ entries, isComplete }: Listing, path: string): string {
  const names = path.split('/').slice(1, -1).map(readable)
  const title = escapeHtml(['', ...names, ''].join('/'))
  const note = entries.length === 0 ? '<p>This folder is empty.</p>\n' : tableOf(entries, names.length > 0)
  const cut = isComplete ? '' : `<p>Only ${entries.length} entries are shown: this folder has more.</p>\n`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
<h1>${trail(names)}</h1>
${note}${cut}</html>
`
}

function trail(names: readonly string[]): string {
  const steps = ['/', ...names]
  const links = steps.map((name, at) => {
    const text = `<bdi>${escapeHtml(name)}</bdi>`
    const up = steps.length - 1 - at
    return up === 0 ? text : `<a href="${'../'.repeat(up)}">${text}</a>`
  })
  return links.join(' <span aria-hidden="true">›</span> ')
}

function tableOf(entries: readonly Listed[], hasParent: boolean): string {
  const parent = hasParent ? '<tr><td><a href="../">../</a><td class="size"><td class="time">\n' : ''
  return `<table>
<thead><tr><th scope="col">Name<th class="size" scope="col">Size<th class="time" scope="col">Changed (UTC)
<tbody>
${parent}${entries.map(row).join('\n')}
</table>
`
}

function row({ name, type, size, modified, href }: Listed): string {
  const slash = type === 'folder' ? '/' : ''
  const bytes = size === null ? '' : `<data value="${size}">${readableSize(size)}</data>`
  const time = timeOf(modified)
  return `<tr><td><a href="${href}"><bdi>${escapeHtml(shown(name))}</bdi>${slash}</a><td class="size">${bytes}<td class="time">${time}`
}

function timeOf(modified: Date): string {
  if (Number.isNaN(modified.getTime())) return ''
  const iso = modified.toISOString()
  return `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')}</time>`
}

const readable = (segment: string): string => shown(toText(fromSegment(segment) ?? segment))

// Line ends and other controls would change how the rest is read; direction marks are held in by <bdi>.
const shown = (name: string): string => name.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '\ufffd')

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/** Three digits at most, in powers of 1,000. */
export function readableSize(bytes: number): string {
  let unit = 0
  let size = bytes
  // What would be rounded up to 1,000 is one of the next unit.
  for (; size >= 999.5 && unit < UNITS.length - 1; unit++) size /= 1_000
  const digits = unit === 0 || size >= 9.95 ? 0 : 1
  return `${size.toFixed(digits)} ${UNITS[unit]}`
}
