import {
  Deliver,
  Handle,
  HttpError,
  type HttpRequest,
  HttpResponse,
  type PluginSite,
  parseDuration,
} from 'rawhttp'
import type { CertificateTable } from './certificate-table.ts'
import type { TlsSettings } from './options.ts'

/** Certificate authorities ask for these by http, before there is a certificate (RFC 8555 section 8.3). */
const ACME = '/.well-known/acme-challenge/'

/**
 * Sends requests that came without TLS to https, with host, path and query. 308 keeps method and body, where 301 lets
 * browsers turn a POST into a GET (RFC 9110 section 15.4).
 */
export function tapRedirect({ hooks }: PluginSite, port: number): void {
  const suffix = port === 443 ? '' : `:${port}`
  hooks.handle.tap({ name: 'tls:redirect', stage: Handle.Early - 10 }, request => {
    if (request.scheme === 'https' || request.path.startsWith(ACME)) return undefined
    const { hostname, path, search } = request
    if (hostname === '')
      throw new HttpError(400, 'This site speaks HTTPS only, and the request names no host.')
    return HttpResponse.redirect(`https://${hostname}${suffix}${path === '*' ? '/' : path}${search}`, 308)
  })
}

/** Strict-Transport-Security, on answers by https only (RFC 6797 section 7.2). */
export function tapHsts({ hooks }: PluginSite, options: Exclude<TlsSettings['hsts'], false>): void {
  const value = hstsValue(options)
  hooks.deliver.tap({ name: 'tls:hsts', stage: Deliver.Headers }, (response, request) => {
    if (request.scheme === 'https' && response.headers.get('strict-transport-security') === undefined)
      response.set('strict-transport-security', value)
  })
}

function hstsValue(options: Exclude<TlsSettings['hsts'], false>): string {
  const { maxAge, includeSubDomains, preload } =
    options === true ? { maxAge: parseDuration('365d'), includeSubDomains: false, preload: false } : options
  const seconds = Math.floor(maxAge / 1_000)
  return `max-age=${seconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}

/**
 * Refuses requests for a host that their connection was not made for: 421 tells the client to make another one
 * (RFC 9110 section 15.5.20). A site with a certificate of its own is so never reached by a connection that was
 * shown another. A trusted proxy makes its connections for itself, and passes requests for all hosts on over them.
 *
 * @param isStrict Whether any other name is one too many: who asks clients for certificates may decide by the name.
 */
export function tapMisdirected(
  { hooks }: PluginSite,
  table: () => CertificateTable,
  isStrict: boolean,
): void {
  hooks.handle.tap({ name: 'tls:misdirected', stage: Handle.Early - 20 }, request => {
    if (isMisdirected(request, table, isStrict))
      throw new HttpError(421, 'The connection was made for another host.', { code: 'TLS_MISDIRECTED' })
  })
}

function isMisdirected(request: HttpRequest, table: () => CertificateTable, isStrict: boolean): boolean {
  const tls = request.connection?.tls
  if (tls === undefined || request.isFromTrustedProxy) return false
  if (tls.serverName === request.hostname) return false
  if (isStrict && tls.serverName !== undefined) return true
  const certificates = table()
  return certificates.select(tls.serverName) !== certificates.select(request.hostname)
}
