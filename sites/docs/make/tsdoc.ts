/** A comment in two parts. */
export interface Described {
  /** Markdown. */
  readonly text: string
  /** The default that it tells of: `Default: 10 s.`, or `@defaultValue`. */
  readonly told: string | null
}

const DEFAULT = /(?:^|\s)(?:Default: ((?:`[^`]*`|[^`])*?)\.(?=\s|$)(?!\s*[a-z])|@defaultValue (.*))/s

/** The description of an option, and the default that it tells of. */
export function tsdocText(comment: string): Described {
  const [, sentence, tag] = DEFAULT.exec(comment) ?? []
  const text = withoutLinks(comment.replace(DEFAULT, ' ')).replaceAll(/\s+/g, ' ').trim()
  const told = sentence ?? tag
  return { text, told: told === undefined ? null : withoutLinks(told).replaceAll(/\s+/g, ' ').trim() }
}

/** `{@link name}` as code. */
const withoutLinks = (text: string): string => text.replaceAll(/\{@link (\S+?)\}/g, '`$1`')

/** A comment of an exported name, by its tags. */
export interface Tags {
  readonly text: string
  readonly params: readonly string[]
  readonly returns: string | null
  readonly throws: readonly string[]
  readonly examples: readonly string[]
}

/** Splits a comment at its block tags. */
export function tagsOf(comment: string): Tags {
  const [text = '', ...blocks] = comment.split(/^@(?=\w)/m)
  const of = (tag: string) =>
    blocks.filter(block => new RegExp(`^${tag}\\b`).test(block)).map(block => block.slice(tag.length).trim())
  return {
    text: text.trim(),
    params: of('param'),
    returns: of('returns')[0] ?? null,
    throws: of('throws'),
    examples: of('example'),
  }
}
