import { randomBytes } from 'node:crypto'
import { Deliver, definePlugin, type HttpRequest, type HttpResponse, slot } from 'rawhttp'
import { type SecurityHeadersSettings, securityHeadersOptions } from './schema.ts'

export type { Csp } from './csp.ts'
export type { Permissions } from './permissions.ts'
export type { SecurityHeadersOptions } from './schema.ts'

/**
 * The nonce of a request: what a page writes into its `<script nonce="…">`, and what stands where the policy says
 * `'nonce'`. 128 random bits in base64, made when they are first asked for.
 *
 * @example
 * const page = (request: HttpRequest) => `<script nonce="${request.get(CspNonce)}">start()</script>`
 */
export const CspNonce = slot('security-headers.nonce', () => randomBytes(16).toString('base64'))

/**
 * Sets the fields by which a site tells browsers to be careful, on every answer, errors and refused messages too. A field
 * that a handler has set itself stays as it is. Strict-Transport-Security belongs to `tls`.
 *
 * @example
 * plugins: [securityHeaders()]
 * @example
 * plugins: [securityHeaders({ contentSecurityPolicy: { 'default-src': ["'self'"], 'script-src': ["'self'", "'nonce'"] } })]
 * @throws Error, when the config loads, for a policy that browsers would not understand.
 */
export const securityHeaders = definePlugin({
  name: 'security-headers',
  options: securityHeadersOptions,
  site(site, settings) {
    site.hooks.deliver.tap({ name: 'security-headers', stage: Deliver.Headers }, (response, request) =>
      secure(response, request, settings),
    )
  },
})

function secure(
  response: HttpResponse,
  request: HttpRequest,
  { fixed, nonced }: SecurityHeadersSettings,
): void {
  const { headers } = response
  for (const [name, value] of fixed) if (!headers.has(name)) response.set(name, value)
  // The page that a 304 stands for has the nonce of its own answer, and the policy that came with it.
  if (nonced.length === 0 || response.status === 304) return
  const nonce = `'nonce-${request.get(CspNonce)}'`
  for (const [name, parts] of nonced) if (!headers.has(name)) response.set(name, parts.join(nonce))
}
