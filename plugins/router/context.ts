import type { HttpHeaders, HttpRequest, PluginSite } from 'rawhttp'
import { parseCookies } from './cookies.ts'
import type { RouteContext } from './types.ts'

type Params = Readonly<Record<string, string | undefined>>

/** The context of a route without schemas: getters, so that what nobody reads is never made. */
export class RawContext implements RouteContext<Params> {
  readonly request: HttpRequest
  readonly site: PluginSite
  readonly params: Params
  #cookies: ReadonlyMap<string, string> | null = null

  constructor(request: HttpRequest, site: PluginSite, params: Params) {
    this.request = request
    this.site = site
    this.params = params
  }

  get query(): URLSearchParams {
    return this.request.query
  }

  get headers(): HttpHeaders {
    return this.request.headers
  }

  get body(): HttpRequest['body'] {
    return this.request.body
  }

  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= parseCookies(this.request.headers.get('cookie'))
    return this.#cookies
  }
}
