import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { awaiting } from '../pending.ts'
import { isPluginFactory } from '../plugin.ts'
import { ConfigError, messageOf } from './errors.ts'
import { firstPartyFile, firstPartyNames } from './first-party.ts'
import { importFailure } from './import-failure.ts'
import { plainImporter } from './importer.ts'
import { resolvePath } from './paths.ts'
import { quote, show } from './show.ts'
import { closest } from './suggest.ts'
import type { ConfigSource } from './types.ts'

type Module = Readonly<Record<string, unknown>> & { readonly default?: unknown }
interface Loaded {
  readonly module: Module
  readonly file: string
}

/** Loads a plugin that a config names and calls its factory with the options that stand beside the name. */
export async function loadNamedPlugin(
  name: string,
  options: readonly unknown[],
  at: string,
  source: ConfigSource,
): Promise<{ readonly plugin: unknown; readonly file: string }> {
  const loaded = await loadModule(name, at, source)
  const factory = factoryOf(loaded, name, at, source)
  try {
    return { plugin: factory(...options), file: loaded.file }
  } catch (error) {
    const path = `${at} (${name})`
    throw new ConfigError({ file: source.file, path, problem: messageOf(error) }, { cause: error })
  }
}

async function loadModule(name: string, at: string, source: ConfigSource): Promise<Loaded> {
  const path = `${at} (${name})`
  const file = /^(?:\.{0,2}\/|file:)/.test(name) ? existing(name, path, source) : firstPartyFile(name)
  if (file === null) return await importPackage(name, path, source)
  try {
    const { importer = plainImporter } = source
    const imported = () => importer.import(pathToFileURL(file).href)
    return { module: (await awaiting(`${path}: its import`, imported)) as Module, file }
  } catch (error) {
    throw await importFailure(error, { file, importedBy: source.file, path })
  }
}

function existing(name: string, path: string, source: ConfigSource): string {
  const file = resolvePath(source.dir, name)
  if (existsSync(file)) return file
  throw new ConfigError({
    file: source.file,
    path,
    expected: 'the file of a plugin',
    received: `no file ${file}`,
  })
}

/** Node does not resolve a name again that it has resolved before: each import has one of its own. */
let imports = 0

/** Imports a package as the config file would: `createRequire` refuses packages that only have an `import` condition. */
async function importPackage(name: string, path: string, source: ConfigSource): Promise<Loaded> {
  const token = `rawhttp-plugin:${++imports}:${name}`
  const { importer = plainImporter } = source
  const parentURL = importer.parent(pathToFileURL(join(source.dir, 'rawhttp.config.js')).href)
  let found: string | null = null
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== token) return next(specifier, context)
      const resolved = next(name, { ...context, parentURL })
      found = resolved.url
      return resolved
    },
  })
  try {
    const module = (await awaiting(`${path}: its import`, () => import(token))) as Module
    return { module, file: found === null ? name : fileOf(found) }
  } catch (error) {
    if (found === null) throw notFound(name, path, source, error)
    throw await importFailure(error, { file: fileOf(found), importedBy: source.file, path })
  } finally {
    hooks.deregister()
  }
}

const fileOf = (url: string): string => (url.startsWith('file:') ? fileURLToPath(url) : url)

function notFound(name: string, path: string, { file, dir }: ConfigSource, cause: unknown): ConfigError {
  const names = firstPartyNames()
  const meant = closest(name, names)
  const hint = meant === null ? `rawhttp has ${names.join(', ')}` : `did you mean '${meant}'?`
  const expected = `a plugin of rawhttp, or a package that is installed for ${dir}`
  return new ConfigError({ file, path, expected, received: quote(name), hint }, { cause })
}

/** The default export, else the only export that definePlugin made. */
function factoryOf(
  { module, file: moduleFile }: Loaded,
  name: string,
  at: string,
  { file }: ConfigSource,
): (...options: readonly unknown[]) => unknown {
  if (typeof module.default === 'function') {
    return module.default as (...options: readonly unknown[]) => unknown
  }
  const made = Object.keys(module).filter(key => isPluginFactory(module[key]))
  if (made.length === 1) return module[made[0]!] as (...options: readonly unknown[]) => unknown
  throw new ConfigError({
    file,
    path: `${at} (${name})`,
    expected: `a plugin as the default or only plugin export of ${moduleFile}`,
    received: made.length > 1 ? `the plugins ${made.join(', ')}` : exportsOf(module),
  })
}

function exportsOf(module: Module): string {
  if ('default' in module) return `the default export ${show(module.default)}`
  const names = Object.keys(module)
  const some = names.slice(0, 8).join(', ')
  return names.length === 0 ? 'no exports' : `the exports ${some}${names.length > 8 ? ', …' : ''}`
}
