import type { HttpHeaders, HttpRequest, PluginSite } from 'rawhttp'
import type { RouteContext } from './types.ts'

type Params = Readonly<Record<string, string | undefined>>

/** The context of a route without schemas: getters, so that what nobody reads is never made. */
export class RawContext implements RouteContext<Params> {
  readonly request: HttpRequest
  readonly site: PluginSite
  readonly params: Params

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
    return this.request.cookies
  }
}

/** What the schemas of a route made of the parts; the others stay raw. */
type Values = Readonly<Partial<Record<'params' | 'query' | 'headers' | 'body', unknown>>>

/** The context of a route with schemas. */
export class CheckedContext implements RouteContext<unknown, unknown, unknown, unknown> {
  readonly #raw: RawContext
  readonly #values: Values

  constructor(raw: RawContext, values: Values) {
    this.#raw = raw
    this.#values = values
  }

  get request(): HttpRequest {
    return this.#raw.request
  }

  get site(): PluginSite {
    return this.#raw.site
  }

  get params(): unknown {
    return this.#part('params')
  }

  get query(): unknown {
    return this.#part('query')
  }

  get headers(): unknown {
    return this.#part('headers')
  }

  get body(): unknown {
    return this.#part('body')
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#raw.cookies
  }

  // A schema may make `undefined` of a part.
  #part(name: keyof Values): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : this.#raw[name]
  }
}
