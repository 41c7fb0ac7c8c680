import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { canonicalAddress } from '../target.ts'
import type { ConfigProblem } from './errors.ts'
import { quote } from './show.ts'

const label = '[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?'
const hostSyntax = new RegExp(String.raw`^(?:\*\.)?${label}(?:\.${label})*$`)
const expected = "a host such as 'example.com', '*.example.com' or '*'"

/**
 * A host in the form that requests are compared with: lower case, no final dot, an IPv6 address in its one form. A
 * problem when it is none.
 */
export function canonicalHost(written: string): string | ConfigProblem {
  const host = written.toLowerCase().replace(/(?<=[^.*])\.$/, '')
  if (host === '*' || hostSyntax.test(host)) return host
  if (isBracketed(host)) return canonicalAddress(host)
  return { expected, received: quote(written), ...hintFor(host) }
}

const isBracketed = (host: string) =>
  host.startsWith('[') && host.endsWith(']') && isIP(host.slice(1, -1)) === 6

function hintFor(host: string): ConfigProblem {
  if (isIP(host) === 6) return { hint: `write '[${host}]'` }
  const url = /^[a-z]+:\/\/([^/]+)/.exec(host)
  if (url) return { hint: `write '${url[1]}', without scheme and path` }
  const port = /^(.+):\d*$/.exec(host)
  if (port) return { hint: `write '${port[1]}'; ports belong to 'listen'` }
  const ascii = domainToASCII(host)
  return ascii !== '' && ascii !== host && hostSyntax.test(ascii) ? { hint: `write '${ascii}'` } : {}
}
