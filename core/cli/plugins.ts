import type { ResolvedConfig } from '../config/types.ts'
import type { Hook } from '../hook.ts'
import { placeText } from '../place.ts'
import { buildServer, type Server } from '../server.ts'
import { ROOT_SITE } from '../site.ts'
import { stageText } from '../stages.ts'
import { writeError } from '../stderr.ts'
import type { Tap } from '../tap.ts'
import type { Args } from './args.ts'
import { inColumns, styled } from './columns.ts'
import { prepare } from './prepare.ts'
import { scopeText } from './scope-text.ts'
import { settle } from './settings.ts'

/** `rawhttp plugins`: every hook with its taps in their final order. Runs the set-up of plugins, and opens nothing. */
export async function plugins(args: Args): Promise<number> {
  const { config, notices } = await prepare(settle(args, process.env), process.cwd())
  for (const notice of notices) writeError(`rawhttp: ${notice}\n`)
  const tables = tablesOf(await buildServer(config))
  const text = args.flags.has('json') ? jsonOf(config, tables) : listing(tables)
  process.stdout.write(`${text}\n`)
  return 0
}

/** The hooks of the server, or of one site. */
interface Table {
  /** Null for the server. */
  readonly site: { readonly name: string; readonly hosts: readonly string[] } | null
  readonly hooks: readonly Hook[]
}

function tablesOf({ generation }: Server): readonly Table[] {
  const { hooks, rootSite, sites } = generation
  const ofSites = [rootSite, ...sites].map(site => ({ site, hooks: site.hooks.all }))
  return [{ site: null, hooks: hooks.all }, ...ofSites]
}

// --- for people ---------------------------------------------------------------------------------------------------

const HEAD = ['    stage', 'kind', 'tap', 'plugin', 'configured in', 'tapped in']

/** A heading, or a line of the table. */
type Line = { readonly heading: string } | { readonly row: readonly string[] } | null

function listing(tables: readonly Table[]): string {
  const lines: Line[] = [{ row: HEAD }, ...grouped(tables).flatMap(blockOf)]
  const rows = inColumns(
    lines.flatMap(line => (line !== null && 'row' in line ? [line.row] : [])),
    [null, 'dim', 'bold', null, 'dim', 'dim'],
  )
  return lines
    .map(line => (line === null ? '' : 'row' in line ? rows.shift()! : styled('cyan', line.heading)))
    .join('\n')
}

/** Sites whose hooks look alike are shown once: with a thousand of them nobody would find the one that differs. */
function grouped(tables: readonly Table[]): (readonly Table[])[] {
  const groups = new Map<string, Table[]>()
  for (const table of tables) {
    const isOwn = table.site === null || table.site.name === ROOT_SITE
    const key = `${isOwn ? (table.site?.name ?? '') : '/'} ${JSON.stringify(table.hooks.map(rowsOf))}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [table])
    else group.push(table)
  }
  return [...groups.values()]
}

function blockOf(group: readonly Table[]): Line[] {
  const { hooks } = group[0]!
  const tapped = hooks.filter(hook => hook.taps.length > 0)
  const idle = hooks.filter(hook => hook.taps.length === 0).map(hook => hook.spec.name)
  return [
    null,
    { heading: headingOf(group) },
    ...tapped.flatMap(hook => [
      { heading: `  ${hook.spec.name}` },
      ...rowsOf(hook).map(row => ({ row: [`    ${row[0]}`, ...row.slice(1)] })),
    ]),
    ...(idle.length === 0 ? [] : [{ heading: `  nobody taps ${idle.join(', ')}` }]),
  ]
}

function headingOf([first, ...others]: readonly Table[]): string {
  const { site } = first!
  if (site === null) return 'server'
  if (site.name === ROOT_SITE) return `site ${ROOT_SITE}: refused messages, and hosts that no site takes`
  if (others.length === 0) return `site ${site.name}: ${site.hosts.join(', ')}`
  return `sites ${[first!, ...others].map(table => table.site!.name).join(', ')}`
}

const rowsOf = (hook: Hook): readonly (readonly string[])[] => hook.taps.map(rowOf)

function rowOf({ hook, stage, kind, name, plugin, scopes, pluginPlace, place }: Tap): string[] {
  return [
    stageText(hook, stage),
    kind === 'sync' ? 'sync' : `async (${kind === 'async' ? 'callback' : 'promise'})`,
    name,
    `${plugin}${scopeText(scopes)}`,
    pluginPlace === null ? '-' : placeText(pluginPlace),
    place === null ? '-' : placeText(place),
  ]
}

// --- for programs -------------------------------------------------------------------------------------------------

function jsonOf({ file }: ResolvedConfig, [server, ...sites]: readonly Table[]): string {
  const hooksOf = ({ hooks }: Table) =>
    hooks.map(hook => ({ hook: hook.spec.name, taps: hook.taps.map(plainTap) }))
  const listed = {
    config: file,
    server: { hooks: hooksOf(server!) },
    sites: sites.map(table => ({
      name: table.site!.name,
      hosts: table.site!.hosts,
      hooks: hooksOf(table),
    })),
  }
  return JSON.stringify(listed, null, 2)
}

function plainTap({ hook, stage, kind, name, plugin, scopes, pluginPlace, place }: Tap) {
  return { plugin, tap: name, stage, stageName: stageText(hook, stage), kind, scopes, pluginPlace, place }
}
