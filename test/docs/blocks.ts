import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Every page whose blocks are checked: the README, the guides and recipes, and those of plugins. */
const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...globSync(['docs/**/*.md', 'plugins/*/README.md'], { cwd: root }).sort(),
]

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  /** Of its first line of code, counted from 1. */
  readonly line: number
  readonly language: string
  /** What stands behind the language: `config`, a file's name, `nocheck …`. */
  readonly info: string
  readonly code: string
  /**
   * What the page does not show, from a comment right before the block: declarations of what the reader has anyway.
   * `<!-- given: declare const users: Map<string, User> -->`
   */
  readonly given: string
}

const FENCE = /^( *)(`{3,})([\w-]*) ?(.*)$/

/** The blocks of a page, in their order. */
export function blocksOf(page: string, text = readFileSync(join(root, page), 'utf8')): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent, fence, language, info] = FENCE.exec(lines[at]!) ?? []
    if (fence === undefined) continue
    const end = lines.findIndex((line, index) => index > at && line.trim() === fence)
    if (end < 0) throw new Error(`${page}:${at + 1}: the block does not end`)
    const code = lines
      .slice(at + 1, end)
      .map(line => line.slice(indent!.length))
      .join('\n')
    const given = givenBefore(lines.slice(0, at).join('\n'))
    blocks.push({ page, line: at + 2, language: language!, info: info!, code, given })
    at = end
  }
  return blocks
}

function givenBefore(text: string): string {
  const [comment] = /<!-- given: (?:(?!-->).)*-->\s*$/s.exec(text) ?? []
  return comment === undefined ? '' : comment.trim().slice('<!-- given: '.length, -'-->'.length)
}

/** The blocks of all pages. */
export const allBlocks = (): Block[] => pages.flatMap(page => blocksOf(page))
