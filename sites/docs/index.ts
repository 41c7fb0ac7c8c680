import { join } from 'node:path'
import { defineSite, type SiteConfig } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { staticFiles } from 'rawhttp/plugins/static'

/** Nothing runs or loads but what the site has as files: no script or style within a page. */
const policy = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'"],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'require-trusted-types-for': ["'script'"],
}

/** The documentation, as `npm run docs` has built it into a folder. */
export const docsIn = (root: string): SiteConfig =>
  defineSite({
    name: 'docs',
    plugins: [
      securityHeaders({ contentSecurityPolicy: policy, referrerPolicy: 'no-referrer' }),
      errorPages({ pages: { '4xx': join(root, '404.html') } }),
      staticFiles({
        root,
        cleanUrls: true,
        // Files of the project are there to be read, whatever they are.
        types: { 'source/**': 'text/plain; charset=utf-8' },
        // A picture is a document too, when somebody opens it alone. Its style follows dark and light.
        headers: {
          'pictures/*.svg': { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'" },
        },
      }),
    ],
  })

export default docsIn(join(import.meta.dirname, 'public'))
