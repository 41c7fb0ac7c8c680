import { isIP } from 'node:net'
import { ConfigError, type PluginSite } from 'rawhttp'

/** The host that a host stands for, both without port; null when it is right as it is. */
export type OtherHost = (hostname: string) => string | null

/**
 * What `www` makes of the hosts of a site. One is taken away wherever it stands; one is put only before hosts that the
 * site names, so that no host is made up: before those whose form with `www.` the site has too, else before all.
 *
 * @throws ConfigError for a site that names no host to put it before.
 */
export function otherHost(www: 'add' | 'remove', { hosts }: Pick<PluginSite, 'hosts'>): OtherHost {
  if (www === 'remove')
    return hostname => (/^www\.[^.]+\../.test(hostname) ? hostname.slice('www.'.length) : null)
  const bare = hosts.filter(isBareName)
  const paired = bare.filter(host => hosts.some(other => covers(other, `www.${host}`)))
  const known = new Set(paired.length > 0 ? paired : bare)
  if (known.size === 0) throw noHost(hosts)
  return hostname => (known.has(hostname) ? `www.${hostname}` : null)
}

const isBareName = (host: string): boolean =>
  /^[^*[]+\.[^*]+$/.test(host) && !host.startsWith('www.') && isIP(host) === 0

const covers = (pattern: string, host: string): boolean =>
  pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)))

function noHost(hosts: readonly string[]): ConfigError {
  return new ConfigError({
    path: 'www',
    expected: "a site that names the hosts to put it before, such as ['example.com', 'www.example.com']",
    received: `the hosts ${hosts.join(', ')}`,
  })
}
