import { ConfigError } from './errors.ts'
import { canonicalHost } from './hosts.ts'
import type { WrittenConfig, WrittenSite } from './schema.ts'
import { quote } from './show.ts'

/** The built-in site of messages that no site gets. */
const reservedName = '-'

/** Refuses a second site of one name, and names that listings and logs cannot show. */
export function checkNames(sites: readonly WrittenSite[], file: string | null): void {
  const first = new Map<string, number>()
  for (const [index, { name }] of sites.entries()) {
    const path = `sites[${index}].name`
    const received = quote(name)
    if (name === reservedName) {
      throw new ConfigError({
        file,
        path,
        expected: "a name other than '-', which is rawhttp's own",
        received,
      })
    }
    if (!/^[^\s\p{C}]+(?: [^\s\p{C}]+)*$/u.test(name)) {
      throw new ConfigError({
        file,
        path,
        expected: 'a name without control characters and outer spaces',
        received,
      })
    }
    const before = first.get(name)
    if (before !== undefined) {
      const expected = 'a name that no other site has'
      throw new ConfigError({ file, path, expected, received: `${received}, the name of sites[${before}]` })
    }
    first.set(name, index)
  }
}

/**
 * The hosts of every site in the order of the sites, each taken once.
 *
 * @param unknownHost What the config says about hosts that no site names: `'default'` gives `'*'` to the first site
 * where none has it, so that everybody who asks for the hosts of a site sees it; `'refuse'` lets no site have it.
 */
export function resolveHosts(
  sites: readonly WrittenSite[],
  unknownHost: WrittenConfig['unknownHost'],
  file: string | null,
): string[][] {
  const owners = new Map<string, number>()
  const resolved = sites.map((site, index) => {
    const written = site.hosts ?? ['*']
    return written.map((text, place) => {
      const path = site.hosts === undefined ? `sites[${index}]` : `sites[${index}].hosts[${place}]`
      const host = canonicalHost(text)
      if (typeof host !== 'string') throw new ConfigError({ file, path, ...host })
      if (host === '*' && unknownHost === 'refuse') throw notRefused(site, path, file)
      const owner = owners.get(host)
      if (owner !== undefined) throw takenTwice(host, sites, owner, index, path, file)
      owners.set(host, index)
      return host
    })
  })
  if (unknownHost === 'default' && !owners.has('*')) resolved[0]!.push('*')
  return resolved
}

function notRefused({ hosts }: WrittenSite, path: string, file: string | null): ConfigError {
  const problem = "takes every host, but unknownHost is 'refuse'"
  const hint =
    hosts === undefined
      ? "without 'hosts' a site takes '*', and without 'sites' there is such a one"
      : 'name the hosts'
  return new ConfigError({ file, path, problem, hint })
}

function takenTwice(
  host: string,
  sites: readonly WrittenSite[],
  owner: number,
  index: number,
  path: string,
  file: string | null,
): ConfigError {
  const written = quote(host)
  if (owner === index) {
    return new ConfigError({ file, path, expected: 'each host once', received: `${written} again` })
  }
  const names = `${quote(sites[owner]!.name)} (sites[${owner}]) and ${quote(sites[index]!.name)} (sites[${index}])`
  const byDefault = sites[index]!.hosts === undefined ? "without 'hosts' a site takes '*'" : undefined
  return new ConfigError({
    file,
    path,
    problem: `the sites ${names} both take the host ${written}`,
    hint: byDefault,
  })
}
