import { createRequire } from 'node:module'
import { ownFolder } from '../own-folder.ts'

const ownRequire = createRequire(import.meta.url)

const ownFolders = [ownFolder, new URL('../plugins/', ownFolder).href]

/** Whether a `file:` URL is one of rawhttp's own modules. In a checkout the config beside them is not. */
export const isOwnModule = (url: string): boolean => ownFolders.some(folder => url.startsWith(folder))

/** The file of the plugin `rawhttp/plugins/<name>`, or null when rawhttp has none of that name. */
export function firstPartyFile(name: string): string | null {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return null
  try {
    return ownRequire.resolve(`rawhttp/plugins/${name}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' || code === 'MODULE_NOT_FOUND') return null
    throw error
  }
}

/** The plugins of rawhttp. */
export function firstPartyNames(): string[] {
  const { exports } = ownRequire('rawhttp/package.json') as {
    readonly exports: Readonly<Record<string, unknown>>
  }
  const prefix = './plugins/'
  const names = Object.keys(exports).filter(path => path.startsWith(prefix))
  return names.map(path => path.slice(prefix.length)).filter(name => firstPartyFile(name) !== null)
}
