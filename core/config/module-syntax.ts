import { readFileSync } from 'node:fs'
import { type LoadHookSync, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parse } from 'es-module-lexer/js'

let isRegistered = false

/**
 * Has Node take a `.ts` or `.js` file for what its text says it is: a module when it imports or exports. A config in a
 * project whose package.json says `"type": "commonjs"`, which is what `npm init -y` writes, then loads as it stands,
 * and so does what it imports. Packages under node_modules stay what they declare.
 */
export function readModulesBySyntax(): void {
  if (isRegistered) return
  isRegistered = true
  registerHooks({ load })
}

// It stays in place: a config may import more of the project later, in a route's handler for example.
const load: LoadHookSync = (url, context, nextLoad) => {
  const format = moduleFormat(url, context.format)
  return nextLoad(url, format === null ? context : { ...context, format })
}

/** `null`: as Node has it. A package.json without a type gives no format: Node would parse the file twice. */
function moduleFormat(url: string, format: string | null | undefined): string | null {
  const [, extension] = /^file:[^?#]+\.([jt]s)(?:[?#]|$)/.exec(url) ?? []
  if (extension === undefined || url.includes('/node_modules/') || format?.startsWith('module')) return null
  if (!isModule(readFileSync(fileURLToPath(url), 'utf8'))) return null
  return extension === 'ts' ? 'module-typescript' : 'module'
}

/** A file that does not parse is left to Node, which says why. */
function isModule(text: string): boolean {
  try {
    const [, , , hasModuleSyntax] = parse(text)
    return hasModuleSyntax
  } catch {
    return /^[ \t]*(?:import|export)\b(?!\s*\()/m.test(text)
  }
}
