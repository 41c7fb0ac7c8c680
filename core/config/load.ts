import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CosmiconfigResult, cosmiconfig, type Loader, type PublicExplorer } from 'cosmiconfig'
import { awaiting } from '../pending.ts'
import { ConfigError, fileLabel, isConfigError, messageOf } from './errors.ts'
import { importFailure } from './import-failure.ts'
import { type Importer, plainImporter } from './importer.ts'
import { parseJson } from './json.ts'
import { readModulesBySyntax } from './module-syntax.ts'
import type { ConfigContext } from './types.ts'

/** Where to look for a config, and what its function is given. */
export interface LoadOptions extends ConfigContext {
  readonly cwd: string
  /** Search only here; without it the search climbs from `cwd` to the project's package.json. */
  readonly folder?: string | undefined
  /** The config file itself: nothing is searched. */
  readonly file?: string | undefined
  /** How its modules are imported. Default: once, as Node does. */
  readonly importer?: Importer | undefined
}

/** What a config file exported, its function called. */
export interface LoadedConfig {
  readonly file: string
  /** The file's folder, from which relative paths count. */
  readonly dir: string
  readonly config: unknown
}

const packageFile = 'package.json'
const configFiles = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs', 'json'].map(
  extension => `rawhttp.config.${extension}`,
)
const searchPlaces = [...configFiles, packageFile]
const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']

/**
 * Finds and loads a config; null when there is none.
 *
 * @throws ConfigError naming the file when it cannot be read, imported, or has no default export.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig | null> {
  readModulesBySyntax()
  const file = options.file === undefined ? undefined : resolve(options.cwd, options.file)
  const importer = options.importer ?? plainImporter
  const result = file === undefined ? await search(options, importer) : await loadFile(file, importer)
  if (result === null) return null
  const config = await evaluate((result.config as Exported).value, result.filepath, options)
  return { file: result.filepath, dir: dirname(result.filepath), config }
}

/** Wraps what a file exported: cosmiconfig would skip `null`, and act on a key `$import`. */
class Exported {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

async function search({ cwd, folder }: LoadOptions, importer: Importer): Promise<CosmiconfigResult> {
  const from = resolve(cwd, folder ?? '.')
  const explorer = explore(folder === undefined ? 'project' : 'none', searchPlaces, importer)
  const result = await named(from, () => explorer.search(from))
  const present = firstPresent(from, folder === undefined)
  if (result !== null && !isOurs(result)) throw foreign(result.filepath)
  if (present !== null && present !== result?.filepath) throw await skipped(present)
  if (result === null) for (const name of configFiles) importer.noteFile(join(from, name))
  return result
}

const isOurs = (result: { readonly config: unknown; readonly filepath: string }) =>
  result.config instanceof Exported && searchPlaces.includes(basename(result.filepath))

async function loadFile(file: string, importer: Importer): Promise<CosmiconfigResult> {
  if (!extensions.includes(extname(file))) {
    const expected = `a config file that ends in ${extensions.join(', ')}`
    throw new ConfigError({ file, expected, received: `'${extname(file)}'` })
  }
  importer.noteFile(file)
  const result = await named(file, () => explore('none', [basename(file)], importer).load(file))
  if (result?.config instanceof Exported) return result
  throw await skipped(file)
}

function explore(
  searchStrategy: 'project' | 'none',
  places: readonly string[],
  importer: Importer,
): PublicExplorer {
  const readFile: Loader = (file, text) => readJson(file, text, importer)
  const importFile: Loader = file => importDefault(file, importer)
  const own =
    (load: Loader): Loader =>
    (file, text) =>
      places.includes(basename(file)) ? load(file, text) : undefined
  return cosmiconfig('rawhttp', {
    searchPlaces: [...places],
    searchStrategy,
    cache: false,
    packageProp: 'rawhttp',
    loaders: Object.fromEntries(
      extensions.map(extension => [extension, own(extension === '.json' ? readFile : importFile)]),
    ),
  })
}

/** Runs cosmiconfig, whose own errors (of a `.config/config.*` of its own, say) do not say whose they are. */
async function named<T>(place: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isConfigError(error)) throw error
    const { code, filepath } = error as NodeJS.ErrnoException & { readonly filepath?: string }
    if (code !== undefined && filepath === undefined) throw await skipped(place, error)
    const problem = `cosmiconfig failed: ${messageOf(error).replaceAll(/\s*\n\s*/g, ' ')}`
    throw new ConfigError({ file: filepath ?? place, problem }, { cause: error })
  }
}

async function importDefault(file: string, importer: Importer): Promise<Exported> {
  const module = await importModule(file, importer)
  if ('default' in module && !isEmptyCommonJs(module))
    return new Exported(transpiled(module) ?? module.default)
  const names = Object.keys(module).filter(name => name !== 'default' && name !== 'module.exports')
  const received = names.length === 0 ? 'no exports' : `only the exports ${names.join(', ')}`
  throw new ConfigError({ file, expected: 'a default export: export default defineConfig({ … })', received })
}

/** A module; of CommonJS, `module.exports` stands under that name too, and `default` is the same. */
type Module = { readonly default?: unknown; readonly 'module.exports'?: unknown }

// Every CommonJS file exports something, so that one which exports nothing shows only by this.
function isEmptyCommonJs(module: Module): boolean {
  const exported = module['module.exports']
  return typeof exported === 'object' && exported !== null && Object.keys(exported).length === 0
}

/** The default export of a module that a compiler has turned into CommonJS. */
function transpiled(module: Module): unknown {
  const exported = module['module.exports'] as {
    readonly __esModule?: unknown
    readonly default?: unknown
  } | null
  return typeof exported === 'object' && exported !== null && 'default' in exported
    ? exported.default
    : undefined
}

/** cosmiconfig's own loader retries with require(), which hides the real error of a file with top-level await. */
async function importModule(file: string, importer: Importer): Promise<Module> {
  try {
    const imported = () => importer.import(pathToFileURL(file).href)
    return (await awaiting(`${fileLabel(file)}: its import`, imported)) as Module
  } catch (error) {
    throw await importFailure(error, { file })
  }
}

function readJson(file: string, text: string, importer: Importer): unknown {
  importer.noteFile(file)
  const value = parseJson(file, text)
  if (basename(file) !== packageFile) return new Exported(value)
  const hasKey = typeof value === 'object' && value !== null && 'rawhttp' in value
  return hasKey ? { rawhttp: new Exported(value.rawhttp) } : {}
}

/** The config file that a search must find, by the same climb: cosmiconfig passes over what it cannot read. */
function firstPresent(from: string, climb: boolean): string | null {
  const name = configFiles.find(name => existsSync(join(from, name)))
  if (name !== undefined) return join(from, name)
  const parent = dirname(from)
  const isTop = !climb || parent === from || existsSync(join(from, packageFile))
  return isTop ? null : firstPresent(parent, climb)
}

/** Why a config file that is there gave nothing. */
async function skipped(file: string, cause?: unknown): Promise<ConfigError> {
  const error: unknown =
    cause ??
    (await readFile(file, 'utf8').then(
      () => null,
      reason => reason,
    ))
  if (error !== null) return new ConfigError({ file, problem: unreadable(error) }, { cause: error })
  if (basename(file) === packageFile) {
    return new ConfigError({ file, expected: "a key 'rawhttp'", received: 'none' })
  }
  const expected =
    extname(file) === '.json' ? 'a config object' : 'a default export: export default defineConfig({ … })'
  return new ConfigError({ file, expected, received: 'an empty file' })
}

function unreadable(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'expected a config file, got no such file',
    EISDIR: 'expected a config file, got a folder',
    EACCES: 'expected a config file that this user may read, got EACCES',
  }
  return known[code] ?? `cannot be read: ${messageOf(error)}`
}

/** cosmiconfig has a config file of its own, which can put other files before ours. */
function foreign(file: string): ConfigError {
  const expected = `a config in ${searchPlaces.join(', ')}`
  return new ConfigError({
    file,
    expected,
    received: "this file, which cosmiconfig's own config put in front",
  })
}

/** Waits for an exported promise and calls an exported function: what a config file does by itself. */
async function evaluate(exported: unknown, file: string, options: LoadOptions): Promise<unknown> {
  const { command, mode, env } = options
  try {
    const value = await awaiting(`${fileLabel(file)}: the promise that it exports`, () => exported)
    if (typeof value !== 'function') return value
    return await awaiting(`${fileLabel(file)}: the config function`, () => value({ command, mode, env }))
  } catch (error) {
    if (isConfigError(error)) throw error
    const { detail } = await importFailure(error, { file })
    throw new ConfigError({ file, problem: `the config function threw: ${detail}` }, { cause: error })
  }
}
