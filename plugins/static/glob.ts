/** Tests a path below the root, written with slashes and without a leading one. */
export type Test = (path: string) => boolean

/**
 * Compiles a glob. `*` and `?` stand for characters of one name, `**` for any number of folders, `{a,b}` for either;
 * all else, brackets too, for itself. A glob without a slash is about the name, whatever the folder; one with a slash
 * about the whole path from the root.
 *
 * @param flags `i`: small letters and capitals are the same.
 * @throws SyntaxError in a sentence for what can match nothing.
 */
export function compileGlob(glob: string, flags = ''): Test {
  const problem = problemOf(glob)
  if (problem !== null) throw new SyntaxError(problem)
  const isAnchored = glob.includes('/')
  const source = sourceOf(glob.replace(/^\//, ''))
  const expression = new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${source}$`, `su${flags}`)
  return path => expression.test(path)
}

/** What is wrong with a glob, or null. */
export function problemOf(glob: string): string | null {
  if (glob === '' || glob === '/') return 'it is empty'
  if (glob.includes('\\')) return 'it has a backslash, which no name that is served has'
  if (/(?:^|\/)(?:\.{0,2})(?:\/|$)/.test(glob.replace(/^\//, ''))) return 'it has a segment that is no name'
  if (/\*\*[^/]|[^/]\*\*/.test(glob.replace(/\*{2,}/g, '**')))
    return '** stands only for whole folders: a/**/b'
  return isBalanced(glob) ? null : 'its braces do not match'
}

function isBalanced(glob: string): boolean {
  let depth = 0
  for (const character of glob) {
    if (character === '{') depth++
    else if (character === '}' && --depth < 0) return false
  }
  return depth === 0
}

const SYNTAX = /[$()+.[\]^|]/g

const PIECE = /\*\*\/|\/\*\*$|\*+|[?{},]|[^*?{},/]+|\//g

function sourceOf(glob: string): string {
  let depth = 0
  return glob.replace(PIECE, piece => {
    if (piece === '**/') return '(?:.*/)?'
    if (piece === '/**') return '/.*'
    if (piece[0] === '*') return piece.length > 1 ? '.*' : '[^/]*'
    if (piece === '?') return '[^/]'
    if (piece === '{') depth++
    if (piece === '{') return '(?:'
    if (piece === '}') depth--
    if (piece === '}') return ')'
    if (piece === ',') return depth > 0 ? '|' : ','
    return piece.replace(SYNTAX, '\\$&')
  })
}
