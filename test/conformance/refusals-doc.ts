import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Refusal, refusals } from '../../core/errors.ts'

/** Where the page stands. */
export const PAGE = join(import.meta.dirname, '../../docs/refusals.md')

const intro = `<!-- Made from the table in core/errors.ts by \`node test/conformance/refusals-doc.ts\`. Do not edit. -->

# Refused messages

What rawhttp refuses, why, and the status that the client gets. There is no lenient switch: a message whose end is in
doubt is refused, and since the place of the next one is then in doubt too, **the connection closes after each of
these** ([RFC 9112 section 11.2](${link('RFC 9112 11.2')})).
No byte behind a refused message is read as a request.

The ids are stable. A plugin reads them as \`request.refused.id\` in \`protocolError\`, \`deliver\` and \`done\` (root
plugins only: a refused message belongs to no site), and as the \`code\` of the diagnostic that \`report\` gets. Answers
are built by \`protocolError\` taps, else by the kernel as plain text; a TLS handshake is cut without one.
`

const groups: readonly (readonly [string, RegExp])[] = [
  ['Another protocol', /^H1-(?:TLS|H2)-/],
  ['The request line', /^H1-(?:METHOD|REQUEST|TARGET|VERSION)/],
  ['Lines and fields', /^H1-(?:BARE|EMPTY|FIELD|HEAD)/],
  ['Host and scheme', /^(?:H1-)?HOST-|^H1-SCHEME$/],
  ['Where the body ends', /^H1-(?:CL|TE)-/],
  ['The chunked coding and trailers', /^H1-(?:CHUNK|TRAILER)-/],
  ['The path', /^PATH-/],
  ['Methods and expectations', /^H1-(?:CONNECT|TRACE|EXPECT)$/],
]

/** The page as it should be. */
export function refusalsDoc(table: Readonly<Record<string, Refusal>> = refusals): string {
  const rest = new Map(Object.entries(table))
  const sections = groups.map(([title, ids]) => section(title, take(rest, ids)))
  if (rest.size > 0) sections.push(section('Others', [...rest]))
  return `${intro}${sections.join('')}`
}

type Rows = readonly (readonly [string, Refusal])[]

function take(rest: Map<string, Refusal>, ids: RegExp): Rows {
  const rows = [...rest].filter(([id]) => ids.test(id))
  for (const [id] of rows) rest.delete(id)
  return rows
}

function section(title: string, rows: Rows): string {
  if (rows.length === 0) return ''
  const lines = rows.map(
    ([id, { status, sentence, section: at }]) =>
      `| \`${id}\` | ${status} | ${sentence} | [${at}](${link(at)}) |`,
  )
  return `\n## ${title}\n\n| id | status | refused because | see |\n|---|---|---|---|\n${lines.join('\n')}\n`
}

/** `RFC 9112 6.3`, or `RFC 9112`, as an address. */
function link(at: string): string {
  const [, rfc, part] = /^RFC (\d+)(?: ([\d.]+))?$/.exec(at) ?? []
  if (rfc === undefined) throw new Error(`not a section of an RFC: ${at}`)
  return `https://www.rfc-editor.org/rfc/rfc${rfc}${part === undefined ? '' : `#section-${part}`}`
}

if (import.meta.main) writeFileSync(PAGE, refusalsDoc())
