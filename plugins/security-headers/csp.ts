import { didYouMean } from 'rawhttp'

/** A Content-Security-Policy: its text, or sources by directive. `true` and `[]` are a directive without a value. */
export type Csp = string | Readonly<Record<string, string | readonly string[] | true>>

/** A policy as it is sent: one text, or texts between which the nonce of the request stands. */
export type CompiledCsp = readonly string[]

/** Stands in a policy for the nonce of the request. */
const NONCE = "'nonce'"

// CSP Level 3, fenced frames, mixed content, Trusted Types.
const directives = [
  ...['base-uri', 'child-src', 'connect-src', 'default-src', 'fenced-frame-src', 'font-src', 'form-action'],
  ...['frame-ancestors', 'frame-src', 'img-src', 'manifest-src', 'media-src', 'object-src', 'report-to'],
  ...[
    'report-uri',
    'require-trusted-types-for',
    'sandbox',
    'script-src',
    'script-src-attr',
    'script-src-elem',
  ],
  ...['style-src', 'style-src-attr', 'style-src-elem', 'trusted-types', 'upgrade-insecure-requests'],
  'worker-src',
]

const keywords = [
  ...['none', 'self', 'unsafe-inline', 'unsafe-eval', 'unsafe-hashes', 'wasm-unsafe-eval', 'strict-dynamic'],
  ...['report-sample', 'inline-speculation-rules', 'nonce', 'allow-duplicates', 'script'],
]

/** Visible ASCII without the two characters that end a directive and a policy. */
const SOURCE = /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/
const HASH = /^'sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2}'$/

/**
 * Reads a policy.
 *
 * @throws Error with a sentence about the first thing that a browser would ignore, or take for something else.
 */
export function compileCsp(csp: Csp): CompiledCsp {
  const written = typeof csp === 'string' ? inText(csp) : Object.entries(csp)
  if (written.length === 0) throw new Error('expected at least one directive, got none')
  const seen = new Set<string>()
  const lines = written.map(([name, value]) => {
    if (seen.has(name)) throw new Error(`${name} stands there twice: browsers read the first only`)
    seen.add(name)
    return directive(name, value)
  })
  return lines.join('; ').split(NONCE)
}

/** The sources of a directive; null without it. */
export function sourcesOf(csp: Csp, name: string): readonly string[] | null {
  const found = (typeof csp === 'string' ? inText(csp) : Object.entries(csp)).find(([each]) => each === name)
  return found === undefined ? null : sources(found[1])
}

function inText(text: string): [string, readonly string[]][] {
  return text
    .split(';')
    .map(part => part.split(/\s+/).filter(word => word !== ''))
    .filter(words => words.length > 0)
    .map(([name, ...rest]) => [name!.toLowerCase(), rest])
}

function directive(name: string, value: unknown): string {
  if (!directives.includes(name)) {
    const hint = didYouMean(name, directives)
    throw new Error(`'${name}' is no directive${hint === null ? '' : `; ${hint}`}`)
  }
  const list = sources(value)
  if (list === null) throw new Error(`${name}: expected sources such as ["'self'"]`)
  for (const source of list) checkSource(name, source)
  if (list.length > 1 && list.includes("'none'"))
    throw new Error(`${name}: 'none' stands alone: beside others it means nothing`)
  return [name, ...list].join(' ')
}

function sources(value: unknown): readonly string[] | null {
  if (value === true) return []
  if (typeof value === 'string') return value.split(/\s+/).filter(word => word !== '')
  return Array.isArray(value) && value.every(each => typeof each === 'string') ? value : null
}

function checkSource(name: string, source: string): void {
  const fail = (problem: string) => {
    throw new Error(`${name}: ${problem}`)
  }
  if (!SOURCE.test(source)) fail(`a source is visible ASCII without , and ; got ${JSON.stringify(source)}`)
  if (/^'?nonce-/.test(source))
    fail(`${source} would be the same for every answer; write 'nonce' (see the README)`)
  const isQuoted = source.startsWith("'")
  const word = source.replace(/^'|'$/g, '')
  if (!isQuoted && (keywords.includes(word) || /^sha(?:256|384|512)-/.test(word)) && takesKeywords(name))
    fail(`${word} is a host without quotes; write "'${word}'"`)
  if (isQuoted && !HASH.test(source) && !keywords.some(keyword => source === `'${keyword}'`)) {
    const hint = didYouMean(word, keywords)
    fail(`${source} is no keyword${hint === null ? '' : `; ${hint}`}`)
  }
}

// Names of groups and of Trusted Types policies may be any word.
const takesKeywords = (name: string): boolean => name !== 'report-to' && name !== 'trusted-types'
