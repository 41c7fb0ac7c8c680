import type { PluginSite } from './plugin.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'

/**
 * Lets those through who may see what a plugin shows: with an answer of its own, or by throwing, it keeps others out.
 * The router's guards are of this kind.
 */
export interface RequestGuard {
  (request: HttpRequest): HttpResponse | undefined | void | PromiseLike<HttpResponse | undefined | void>
  /** Runs once for each site, as a plugin's `site()`: it may tap, and keep what outlives a reload. */
  readonly setup?: ((site: PluginSite) => void) | undefined
}
