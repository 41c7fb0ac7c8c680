import type { HttpRequest } from '../request.ts'
import { ROOT_SITE, type Site } from '../site.ts'
import type { TracedSite } from './types.ts'

/** By which of its hosts a site got a request, in the order in which the table of sites looks. */
export function siteChoice(request: HttpRequest, { name, hosts }: Site, isGiven: boolean): TracedSite {
  if (name === ROOT_SITE) {
    const isUnknown = request.refused === null || request.refused.id === 'HOST-UNKNOWN'
    return { name, host: null, why: isUnknown ? 'unknown-host' : 'refused' }
  }
  if (isGiven) return { name, host: null, why: 'given' }
  const { hostname } = request
  if (hosts.includes(hostname)) return { name, host: hostname, why: 'exact' }
  const wildcards = hosts.filter(host => host.startsWith('*.') && isBelow(hostname, host.slice(1)))
  const [longest] = wildcards.sort((a, b) => b.length - a.length)
  return longest === undefined
    ? { name, host: '*', why: 'default' }
    : { name, host: longest, why: 'wildcard' }
}

const isBelow = (hostname: string, suffix: string): boolean =>
  hostname.endsWith(suffix) && hostname.length > suffix.length
