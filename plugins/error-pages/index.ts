import { definePlugin, HttpResponse, type PluginSite, ROOT_SITE, Transform } from 'rawhttp'
import { loadPages } from './pages.ts'
import { type ErrorPagesSettings, errorPagesOptions } from './schema.ts'

const HTML = 'text/html; charset=utf-8'

/**
 * Gives errors without a body a page of your own: `404.html` for one status, `4xx.html` and `5xx.html` for the rest.
 * What a handler wrote itself stays as it is, and a status without a page gets the kernel's plain text.
 *
 * Among the root plugins it covers messages that are refused before any site sees them, too. Pages are read at
 * start. Caching is not decided here: whoever made the error knows whether it lasts, and may say so.
 *
 * @example
 * plugins: [errorPages({ root: './errors' })]
 *
 * @throws Error at start when the folder or a file cannot be read, or the folder has no page.
 */
export const errorPages = definePlugin({
  name: 'error-pages',
  options: errorPagesOptions,
  async site(site, settings) {
    const pages = await loadPages(filesOf(site, settings))

    site.hooks.transform.tap({ name: 'error-pages', stage: Transform.Shape }, response => {
      if (response.status < 400 || response.body !== null) return
      const page = pages.find(response.status)
      if (page === null) return
      response.replace(page(response.status, response.detail))
      // These were said of a body that does not exist.
      response.delete('content-encoding').delete('content-language').delete('last-modified')
      response.set('content-type', HTML)
    })

    // The hook is the server's: a site that tapped it would answer for messages of all others.
    if (site.name !== ROOT_SITE) return
    site.server.hooks.protocolError.tap('error-pages', ({ status, message, headers }) => {
      const page = pages.find(status)
      // The text of a 5xx is for the operator.
      const detail = status < 500 ? message : null
      return page === null ? undefined : HttpResponse.html(page(status, detail), { status, headers })
    })
  },
})

function filesOf(site: PluginSite, { root, pages = {} }: ErrorPagesSettings) {
  const files = Object.entries(pages).map(([name, file]) => [name, site.resolve(file)] as const)
  return { root: root === undefined ? null : site.resolve(root), pages: Object.fromEntries(files) }
}
