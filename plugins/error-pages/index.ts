import {
  definePlugin,
  type HttpRequest,
  HttpResponse,
  type PluginServer,
  type PluginSite,
  ROOT_SITE,
  Slots,
  Transform,
} from 'rawhttp'
import { type Kind, type Negotiate, negotiation } from './negotiate.ts'
import { loadPages, type Pages } from './pages.ts'
import { problemOf } from './problem.ts'
import { type ErrorPagesSettings, errorPagesOptions } from './schema.ts'
import type { Failure } from './template.ts'

/**
 * Gives errors without a body one: a page for people, yours (`404.html`, `4xx.html`, `5xx.html`) or a built-in one, and
 * problem details (RFC 9457) for clients that ask for JSON. What a handler wrote itself stays as it is.
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
    const { pages, negotiate, complete } = await errorsOf(site, settings)
    site.hooks.transform.tap({ name: 'error-pages', stage: Transform.Shape }, complete)
    // The hook is the server's: a site that tapped it would answer for messages of all others.
    if (site.name === ROOT_SITE) tapProtocolError(site.server, pages, negotiate)
  },
})

/** What sites with the same pages have in common. */
interface Errors {
  readonly pages: Pages
  readonly negotiate: Negotiate
  readonly complete: (response: HttpResponse, request: HttpRequest) => void
}

/** By the server as each plugin instance sees it, then by the files: with many sites most have the same ones. */
const known = new WeakMap<PluginServer, Map<string, Errors>>()

async function errorsOf(site: PluginSite, settings: ErrorPagesSettings): Promise<Errors> {
  const files = filesOf(site, settings)
  const key = JSON.stringify(files)
  const ofInstance = known.get(site.server) ?? new Map<string, Errors>()
  known.set(site.server, ofInstance)
  const errors = ofInstance.get(key) ?? errorsFrom(await loadPages(files), negotiation(settings.prefer))
  ofInstance.set(key, errors)
  return errors
}

function errorsFrom(pages: Pages, negotiate: Negotiate): Errors {
  const complete: Errors['complete'] = (response, request) => {
    const { status, detail, body } = response
    if (status < 400 || body !== null) return
    const failure = { status, detail, requestId: request.get(Slots.requestId) }
    fill(response, negotiate(request.headers.get('accept')), failure, pages)
  }
  return { pages, negotiate, complete }
}

function tapProtocolError(server: PluginServer, pages: Pages, negotiate: Negotiate): void {
  server.hooks.protocolError.tap('error-pages', ({ status, message, headers }, request) => {
    // The message of a refusal is the kernel's own sentence and tells the client what to change: that of a 5xx, too.
    const response = HttpResponse.error(status, message, { headers })
    const failure = { status, detail: message, requestId: request.get(Slots.requestId) }
    fill(response, negotiate(request.headers.get('accept')), failure, pages)
    return response
  })
}

/** Gives an error the body that its client asks for; of `text/plain` the kernel has one. */
function fill(response: HttpResponse, kind: Kind, failure: Failure, pages: Pages): void {
  response.vary('Accept')
  if (kind === 'text/plain') return
  const isHtml = kind === 'text/html'
  response.replace(isHtml ? pages.find(failure.status)(failure) : problemOf(failure))
  // These were said of a body that does not exist.
  response.delete('content-encoding').delete('content-language').delete('last-modified')
  response.set('content-type', isHtml ? 'text/html; charset=utf-8' : kind)
}

function filesOf(site: PluginSite, { root, pages = {} }: ErrorPagesSettings) {
  const files = Object.entries(pages).map(([name, file]) => [name, site.resolve(file)] as const)
  return { root: root === undefined ? null : site.resolve(root), pages: Object.fromEntries(files) }
}
