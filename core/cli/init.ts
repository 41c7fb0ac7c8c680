import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { quote, show } from '../config/show.ts'
import { type Args, UsageError } from './args.ts'
import { pluginManifest, siteManifest } from './init/manifest.ts'
import { type PluginNames, packageName, pluginNames } from './init/names.ts'
import { plan } from './init/plan.ts'
import { pluginScaffold } from './init/plugin.ts'
import { presentManifest } from './init/present.ts'
import { report } from './init/report.ts'
import type { Scaffold } from './init/scaffold.ts'
import { siteScaffold } from './init/site.ts'
import { write } from './init/write.ts'

/** `rawhttp init`: writes a site, or with `--plugin` the package of a plugin, and says what to do next. */
export async function init(args: Args): Promise<number> {
  const cwd = realpathSync(process.cwd())
  const plugin = args.flags.get('plugin')
  const names = plugin === undefined ? null : pluginNames(plugin)
  const folder = folderFor(args.folder ?? names?.package ?? '.', cwd)
  const scaffold = names === null ? siteFor(folder) : pluginFor(names, folder)
  const steps = plan(folder, scaffold.files, args.flags.has('force'))
  write(folder, steps)
  process.stdout.write(report(scaffold, steps, folder, cwd))
  return 0
}

/** The real path of the folder to write to, which need not exist yet. */
function folderFor(word: string, cwd: string): string {
  const folder = resolve(cwd, word)
  if (/\p{Cc}/u.test(folder))
    throw new UsageError(`expected a folder without control characters in its name, got ${quote(folder)}`)
  const { path, isFolder } = nearest(folder)
  if (isFolder) return join(realpathSync(path), relative(path, folder))
  throw new UsageError(`expected a folder, got '${word}': ${path} is a file`)
}

/** What is there of a path: itself, or the nearest one above. */
function nearest(path: string): { readonly path: string; readonly isFolder: boolean } {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? nearest(dirname(path)) : { path, isFolder: stats.isDirectory() }
}

function siteFor(folder: string): Scaffold {
  const present = presentManifest(folder)
  if (present?.rawhttp !== undefined)
    throw new Error(`nothing was written to ${folder}: package.json has a config already, the key 'rawhttp'`)
  const name = packageName(basename(folder))
  const extension = present === null || present.type === 'module' ? 'ts' : 'mts'
  return siteScaffold({ name, manifest: siteManifest(name), extension })
}

/** @throws Error where modules are CommonJS: what `exports` names would not be what the build writes. */
function pluginFor(names: PluginNames, folder: string): Scaffold {
  const present = presentManifest(folder)
  if (present !== null && present.type !== 'module') {
    const received = present.type === undefined ? 'none' : show(present.type)
    throw new Error(
      `nothing was written to ${folder}: package.json: expected "type": "module", since plugins are published as ES modules, got ${received}`,
    )
  }
  return pluginScaffold(names, pluginManifest(names))
}
