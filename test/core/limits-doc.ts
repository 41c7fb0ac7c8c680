import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = join(import.meta.dirname, '../../core/limits.ts')

/** Where the page stands. */
export const PAGE = join(import.meta.dirname, '../../docs/limits.md')

/** A limit as its comment tells of it. */
export interface LimitDoc {
  readonly name: string
  /** `Listener` or `Exchange`. */
  readonly of: string
  readonly what: string
  readonly beyond: string
  /** As a config would write it. */
  readonly written: string | number
}

const intro = `<!-- Made from the comments in core/limits.ts by \`node test/core/limits-doc.ts\`. Do not edit. -->

# Limits

What a client can make the server hold, wait for or do is bounded, by default. Sizes are numbers of bytes or texts such
as \`'64kb'\` (b, kb, mb, gb; powers of 1024), times are milliseconds or texts such as \`'10s'\` (ms, s, m, h, d).
A limit never turns a message into another one: what goes beyond it is refused or cut. The ids in brackets are those of
[refusals.md](refusals.md), and the \`code\` of the error or diagnostic.

Not configurable: a method has at most 32 bytes, a chunk size 12 digits, the chunk extensions of a message 1,024 bytes;
64 kB of a body are read ahead of the handler; behind the last answer input is dropped for 2 s at most.
`

const groups = [
  {
    of: 'Listener',
    title: 'Of a listener',
    text: 'In `limits` of the config, for all listeners, or in those of an entry of `listen`.',
  },
  {
    of: 'Exchange',
    title: 'Of an exchange',
    text:
      'In `limits` of the config or of a site. A handler can change them for its request in `request.limits`, until the\n' +
      'body is read.',
  },
] as const

/** All limits, in the order of the source. */
export function limitDocs(source = readFileSync(SOURCE, 'utf8')): LimitDoc[] {
  return source.split(/^export interface (?=\w+Limits )/m).flatMap(part => {
    const of = /^(\w+)Limits /.exec(part)?.[1]
    if (of === undefined) return []
    const [body = ''] = part.split(/^}/m)
    const properties = [...body.matchAll(/^ {2}(?:\/\*\*(.*?)\*\/\s+)?(?:readonly )?(\w+): number$/gms)]
    return properties.map(([, comment = '', name]) => ({ name: name!, of, ...read(comment, name!) }))
  })
}

function read(comment: string, name: string): Pick<LimitDoc, 'what' | 'beyond' | 'written'> {
  const lines = comment.split('\n').map(line => line.replace(/^ *\*? ?/, '').trim())
  const [what, beyond, defaultValue] = lines
    .join('\n')
    .trim()
    .split(/\n\n+/)
    .map(paragraph => paragraph.replaceAll('\n', ' '))
  const written = /^@defaultValue `(?:'(\w+)'|(\d+))`$/.exec(defaultValue ?? '')
  if (
    what === undefined ||
    beyond === undefined ||
    !/^(?:Beyond|Below) it: /.test(beyond) ||
    written === null
  )
    throw new Error(`core/limits.ts: the comment of ${name} must say what, "Beyond it: …", and @defaultValue`)
  return { what, beyond, written: written[1] ?? Number(written[2]) }
}

/** The page as it should be. */
export function limitsDoc(docs: readonly LimitDoc[] = limitDocs()): string {
  const sections = groups.map(({ of, title, text }) => {
    const rows = docs
      .filter(doc => doc.of === of)
      .map(({ name, written, what, beyond }) => {
        const value = typeof written === 'string' ? `\`'${written}'\`` : `\`${written}\``
        return `| \`${name}\` | ${value} | ${what} | ${beyond.replace(/^Beyond it: /, '')} |`
      })
    return `\n## ${title}\n\n${text}\n\n| limit | default | what it bounds | beyond it |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${intro}${sections.join('')}`
}

if (import.meta.main) writeFileSync(PAGE, limitsDoc())
