import { Deliver, definePlugin } from 'rawhttp'
import { headersOptions } from './schema.ts'

export type { Fields, HeadersRule, StatusName } from './rule.ts'
export type { HeadersOptions } from './schema.ts'

/**
 * Sets, appends and removes header fields of answers, by path, method, host and status: of all of them, errors, 304 and
 * redirects too, and among the root plugins of refused messages.
 *
 * It comes after plugins that set fields of their own (`Deliver.Headers`), so that it has the last word.
 *
 * @example
 * headers({ set: { 'x-frame-options': 'DENY' }, remove: ['x-powered-by'] })
 * @example
 * headers([
 *   { path: '/api/*', default: { 'cache-control': 'no-store' } },
 *   { status: 'error', set: { 'x-robots-tag': 'noindex' } },
 * ])
 */
export const headers = definePlugin({
  name: 'headers',
  repeatable: true,
  options: headersOptions,
  site(site, rules) {
    site.hooks.deliver.tap({ name: 'headers', stage: Deliver.Headers + 50 }, (response, request) => {
      for (const { fits, isMeant, changes } of rules) {
        if (isMeant !== null && !isMeant(response.status)) continue
        if (fits !== null && !fits(request)) continue
        for (const change of changes) change(response)
      }
    })
  },
})
