import { posix } from 'node:path'
import { type Import, importsOf } from './imports.ts'

/** The npm packages that published code may import, and those that only this checkout has. */
export interface Libraries {
  readonly published: ReadonlySet<string>
  readonly all: ReadonlySet<string>
}

/** Sources by their path from the project's root, with `/`. */
export type Sources = ReadonlyMap<string, string>

/** Where in core/ a library may be imported: a folder ending in `/`, or one file. */
const coreLibraries: Readonly<Record<string, string>> = {
  tapable: 'core/',
  cosmiconfig: 'core/config/',
  'es-module-lexer': 'core/config/',
  valibot: 'core/config/',
  'range-parser': 'core/range.ts',
  'mime-types': 'core/response.ts',
  cookie: 'core/cookies.ts',
}
/** It lies one folder further up from dist/ than from the sources, so core/ reaches it by the package's name. */
const ownManifest = 'rawhttp/package.json'
const httpModule = /^(node:)?(https?|_http_\w+)$/
/** Node's modules that plugins bring in; the kernel may know their types. */
const pluginModule = /^(node:)?(http2|tls|zlib)$/
const pluginEntry = /^rawhttp\/plugins\/[a-z0-9-]+$/

/** One sentence for every import that the layout does not allow, and for every circle in core/. */
export function brokenArrows(sources: Sources, libraries: Libraries): string[] {
  const faults = [...sources].flatMap(([file, source]) =>
    importsOf(file, source).flatMap(found => {
      const fault = faultOf(file, found, libraries)
      return fault === null ? [] : [`${file}:${found.line} imports ${quoted(found)}: ${fault}`]
    }),
  )
  return [...new Set([...faults, ...circles(sources)])]
}

const quoted = ({ name }: Import): string => (name === null ? 'a computed name' : JSON.stringify(name))

function faultOf(file: string, found: Import, libraries: Libraries): string | null {
  const area = file.split('/')[0]
  if (area !== 'sites' && found.name !== null && isHttp(found)) {
    return 'the kernel and the plugins do without node:http and node:https.'
  }
  if (found.kind === 'text') return null
  if (area === 'core' && found.kind !== 'type' && pluginModule.test(found.name ?? '')) {
    return 'TLS, HTTP/2 and compression belong to plugins.'
  }
  if (found.name?.startsWith('node:')) return null
  if (area === 'core') return coreFault(file, found)
  if (found.name === null) return 'a name that is written out can be checked.'
  const own = file.split('/').slice(0, 2).join('/')
  if (found.name.startsWith('.')) return isInside(own, file, found.name) ? null : outsideFault(area, own)
  return area === 'plugins' ? pluginFault(found.name, libraries) : siteFault(found.name, libraries)
}

/** As a mere string, `http` is a scheme; with an underscore or a prefix it can only be a module. */
const isHttp = ({ kind, name }: Import): boolean =>
  httpModule.test(name ?? '') && (kind !== 'text' || !/^https?$/.test(name ?? ''))

function coreFault(file: string, { name }: Import): string | null {
  if (name === null) {
    return file.startsWith('core/config/') ? null : 'only core/config/ loads modules by a computed name.'
  }
  if (name.startsWith('.')) {
    if (!isInside('core', file, name)) return 'core/ imports its own files; plugins and sites come by name.'
    const isKits = isOfTestKit(targetOf(file, name)) && !isOfTestKit(file)
    return isKits ? 'the test kit knows the kernel, and never the other way round.' : null
  }
  if (name === ownManifest) return null
  const home = coreLibraries[packageOf(name)]
  if (home === undefined) return 'core/ may import node:, tapable and its own files.'
  const isHome = home.endsWith('/') ? file.startsWith(home) : file === home
  return isHome ? null : `in core/ it belongs to ${home} alone.`
}

function pluginFault(name: string, { published }: Libraries): string | null {
  if (name === 'rawhttp') return null
  if (packageOf(name) === 'rawhttp') return "a plugin knows only 'rawhttp': plugins share by hooks and slots."
  return published.has(packageOf(name)) ? null : 'it is in neither dependencies nor peerDependencies.'
}

function siteFault(name: string, { all }: Libraries): string | null {
  if (name === 'rawhttp' || pluginEntry.test(name)) return null
  if (packageOf(name) === 'rawhttp') return "a site knows 'rawhttp' and 'rawhttp/plugins/<name>'."
  return all.has(packageOf(name)) ? null : 'it is not a dependency in package.json.'
}

const outsideFault = (area: string | undefined, own: string): string =>
  area === 'plugins'
    ? `a plugin imports 'rawhttp', never an inner file, and of its own only what is in ${own}/.`
    : `a site imports 'rawhttp' and 'rawhttp/plugins/<name>', and of its own only what is in ${own}/.`

const isOfTestKit = (file: string): boolean => /^core\/testing(?:\/|\.ts$)/.test(file)

const isInside = (folder: string, file: string, name: string): boolean =>
  targetOf(file, name).startsWith(`${folder}/`)
const targetOf = (file: string, name: string): string => posix.join(posix.dirname(file), name)
const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/')

/** Circles of imports that exist at run time, lazy ones too; each is told once. */
function circles(sources: Sources): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) found.push([...trail.slice(at), file].join(' -> '))
    if (at >= 0 || done.has(file)) return
    for (const next of ownValueImports(file, sources.get(file) ?? '')) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of sources.keys()) if (file.startsWith('core/')) visit(file, [])
  return found.map(circle => `${circle}: value imports go in a circle; turn one arrow round, or into a type.`)
}

const ownValueImports = (file: string, source: string): string[] =>
  importsOf(file, source).flatMap(({ kind, name }) =>
    (kind === 'static' || kind === 'lazy') && name?.startsWith('.') ? [targetOf(file, name)] : [],
  )
