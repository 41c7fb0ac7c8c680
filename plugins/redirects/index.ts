import { definePlugin, Handle, HttpError, ROOT_SITE, slot } from 'rawhttp'
import { type Answer, redirectOf } from './answer.ts'
import { redirectsOptions } from './schema.ts'
import { rightPath, tellCircle } from './slash.ts'
import { otherHost } from './www.ts'

export type { RedirectRule, RedirectStatus, RedirectTarget } from './rule.ts'
export type { RedirectRules, RedirectsOptions } from './schema.ts'

/** What a request is answered with, by whichever instance found it first. */
const Found = slot<Answer>('redirects.found')

/**
 * Sends clients from paths and hosts that were to those that are: rules by path pattern, `www`, trailing slashes.
 *
 * A request is judged by what the client asked for, before any rewrite, and answered at `Handle.Early + 10`: after the
 * redirect to https, preflights and health checks, and before any credentials are asked for.
 *
 * @example
 * redirects({ rules: { '/blog/:slug': '/articles/:slug', '/docs/*': 'https://docs.example.com/*' } })
 * @example
 * redirects({ www: 'remove', trailingSlash: 'remove', rules: [{ from: '/old', to: '/new', status: 302 }] })
 */
export const redirects = definePlugin({
  name: 'redirects',
  repeatable: true,
  options: redirectsOptions,
  site(site, { www, trailingSlash, ...settings }) {
    // Nothing is handled there.
    if (site.name === ROOT_SITE) return
    const ways = {
      ...settings,
      rightPath: rightPath(trailingSlash),
      otherHost: www === null ? () => null : otherHost(www, site),
    }
    const { handle } = site.hooks
    handle.tap({ name: 'redirects:find', stage: Handle.Prepare + 10 }, request => {
      if (request.get(Found) !== undefined) return
      const found = redirectOf(request, ways)
      if (found !== null) request.set(Found, found)
    })
    handle.tap({ name: 'redirects:answer', stage: Handle.Early + 10 }, request => {
      const found = request.get(Found)
      if (found instanceof HttpError) throw found
      return found
    })
    if (trailingSlash !== null) tellCircle(site, ways.rightPath)
  },
})
