import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from '../../core/cli/args.ts'
import { siteManifest } from '../../core/cli/init/manifest.ts'

const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: object }
/** Of this project, and of a site that `rawhttp init` writes. */
const scripts = { ...siteManifest('site').scripts, ...manifest.scripts }

/** The single commands of a block of shell, as words. */
export function commandsOf(code: string): string[][] {
  const joined = code.replaceAll(/\\\n\s*/g, ' ')
  const lines = joined.split('\n').map(line => line.replace(/(?:^|\s)#.*$/, ''))
  const commands = lines.flatMap(line => line.split(/&&|\|\||[;|]/))
  return commands.map(wordsOf).filter(words => words.length > 0)
}

/** As a shell splits them: what stands in quotes is one word. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/["']/g, ''))

/** What is wrong with a command of ours, or null; commands of others are theirs. */
export function problemOf(words: readonly string[]): string | null {
  const [first, ...rest] = words[0] === 'npx' ? words.slice(1) : words
  if (first === 'rawhttp') return problemOfRawhttp(rest)
  if (first === 'npm') return problemOfNpm(rest)
  if (first === 'node') return problemOfNode(rest)
  return null
}

function problemOfRawhttp(args: readonly string[]): string | null {
  try {
    parse(args.filter(word => !/^\d?>|^&$/.test(word)))
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function problemOfNpm([command, name = '', ...rest]: readonly string[]): string | null {
  if (command !== 'run') return null
  if (!Object.hasOwn(scripts, name)) return `package.json has no script ${name}`
  return name === 'rawhttp' ? problemOfRawhttp(rest.slice(rest.indexOf('--') + 1)) : null
}

/** A file of the repository has a folder in its name. */
function problemOfNode(args: readonly string[]): string | null {
  const file = args.find(word => /^\w[\w./-]*\/[\w./-]*\.ts$/.test(word))
  return file === undefined || existsSync(join(root, file)) ? null : `there is no ${file}`
}
