import * as v from 'valibot'
import { defaultExchangeLimits, type ExchangeLimits } from '../limits.ts'
import { ConfigError, configErrorOf, messageOf } from './errors.ts'
import { problemsOf } from './issues.ts'
import { resolveListeners } from './listen.ts'
import { withoutUndefined } from './merge.ts'
import { resolvePath } from './paths.ts'
import { resolveProxies } from './proxies.ts'
import { configSchema, placeOfLimit, type WrittenConfig, type WrittenSite } from './schema.ts'
import { show } from './show.ts'
import { checkWithout, resolvePlugins, sitePlugins } from './site-plugins.ts'
import { checkNames, resolveHosts } from './sites.ts'
import type { ConfigSource, ResolvedConfig, ResolvedPlugin, ResolvedSite } from './types.ts'

/** Milliseconds that streams may keep a config that was replaced. */
const OLD_STREAMS = 3_600_000

/** Milliseconds that a stop may take. */
const STOP_DEADLINE = 10_000

/**
 * Checks a config and fills in every default: what a generation is built from.
 *
 * @throws ConfigError for the first mistake, with further ones of the same kind in `also`.
 */
export async function resolveConfig(config: unknown, source: ConfigSource): Promise<ResolvedConfig> {
  const written = checkShape(config, source.file)
  const sites = written.sites ?? [{ name: 'default' }]
  checkNames(sites, source.file)
  const hosts = resolveHosts(sites, written.unknownHost, source.file)
  const trustedProxies = resolveProxies(written.trustedProxies, 'trustedProxies', source.file)
  const listen = resolveListeners(written, source, trustedProxies)
  const limits = exchangeLimits(written.limits ?? {})
  const plugins = await resolvePlugins(written.plugins ?? [], 'plugins', source)
  const resolved: ResolvedSite[] = []
  for (const [index, site] of sites.entries()) {
    const at = `sites[${index}]`
    resolved.push({
      name: site.name,
      hosts: hosts[index]!,
      dir: site.dir === undefined ? source.dir : resolvePath(source.dir, site.dir),
      plugins: await resolveSitePlugins(site, at, plugins, source),
      // Sites without limits of their own share one object: with a thousand of them it is always in the processor's cache.
      limits:
        site.limits === undefined ? limits : exchangeLimits({ ...limits, ...withoutUndefined(site.limits) }),
    })
  }
  const { file, dir } = source
  const reload = { oldStreams: written.reload?.oldStreams ?? OLD_STREAMS }
  const stop = { deadline: written.stop?.deadline ?? STOP_DEADLINE }
  return { file, dir, listen, limits, trustedProxies, plugins, sites: resolved, reload, stop }
}

function checkShape(config: unknown, file: string | null): WrittenConfig {
  if (typeof config === 'function') {
    const hint = 'call it with { command, mode, env } first'
    throw new ConfigError({ file, expected: 'a config object', received: show(config), hint })
  }
  const result = parse(config, file)
  if (result.success) return result.output
  const options = { base: '', file, phrases: true, hint: placeOfLimit }
  throw configErrorOf(problemsOf(configSchema, result.issues, options))
}

// A getter of the config's own may throw, with any error.
function parse(config: unknown, file: string | null) {
  try {
    return v.safeParse(configSchema, config)
  } catch (cause) {
    throw new ConfigError({ file, problem: `reading it failed: ${messageOf(cause)}` }, { cause })
  }
}

async function resolveSitePlugins(
  site: WrittenSite,
  at: string,
  root: readonly ResolvedPlugin[],
  source: ConfigSource,
): Promise<ResolvedPlugin[]> {
  const without = site.without ?? []
  checkWithout(without, root, `${at}.without`, source)
  const own = await resolvePlugins(site.plugins ?? [], `${at}.plugins`, source)
  return sitePlugins(root, own, without)
}

function exchangeLimits(written: object): Readonly<ExchangeLimits> {
  const merged = { ...defaultExchangeLimits, ...withoutUndefined(written) }
  const names = Object.keys(defaultExchangeLimits) as (keyof ExchangeLimits)[]
  return Object.freeze(
    Object.fromEntries(names.map(name => [name, merged[name]])),
  ) as unknown as ExchangeLimits
}
