import { definePlugin, Handle, ROOT_SITE } from 'rawhttp'
import { rewritesOptions } from './schema.ts'

export type { RewriteRule, RewriteTarget } from './rule.ts'
export type { RewritesOptions } from './schema.ts'

/**
 * Gives requests another path than the client asked for, before guards, caches and routes see them. Each instance
 * rewrites a request at most once, by the first rule that is for it.
 *
 * @example
 * rewrites({ '/api/v1/*': '/v1/*', '/@:user': '/profile?name=:user' })
 * @example
 * rewrites([{ from: '/*', to: '/blog/*', hosts: ['blog.example.com'] }])
 */
export const rewrites = definePlugin({
  name: 'rewrites',
  repeatable: true,
  options: rewritesOptions,
  site(site, rules) {
    // Nothing is handled there.
    if (site.name === ROOT_SITE) return
    // As late as a rewrite may be: redirects to https and those of `redirects` are about what the client asked for.
    site.hooks.handle.tap({ name: 'rewrites', stage: Handle.Early - 5 }, request => {
      const found = rules.find(request.path, ({ fits }) => fits === null || fits(request))
      if (found === null) return
      const { destination, keepsQuery } = found.value
      const { path, search } = destination.reach(found.params, keepsQuery ? request.search : '')
      request.rewrite(`${path}${search}`)
    })
  },
})
