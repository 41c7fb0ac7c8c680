import { Deliver, definePlugin, Handle, type HttpRequest, HttpResponse, ROOT_SITE } from 'rawhttp'
import { type CorsSettings, corsOptions, isFieldName } from './schema.ts'

export type { OriginOption, OriginTest } from './origins.ts'
export type { CorsOptions } from './schema.ts'

/**
 * Lets pages of other origins read answers (Fetch standard, CORS protocol): preflights are answered before any guard,
 * and every answer, errors and 304 too, says who may read it. What is not said to a page, its browser hides from it.
 *
 * It keeps nobody out: requests that need no preflight are handled whatever their origin.
 *
 * @example
 * plugins: [cors({ origin: ['https://www.example.com', 'https://admin.example.com'], credentials: true })]
 * @example
 * plugins: [scope({ path: '/api/*' }, [cors({ origin: '*', exposed: ['x-total'] })])]
 */
export const cors = definePlugin({
  name: 'cors',
  options: corsOptions,
  site(site, settings) {
    if (site.name !== ROOT_SITE)
      site.hooks.handle.tap({ name: 'cors:preflight', stage: Handle.Early }, request =>
        isPreflight(request) ? preflight(request, settings) : undefined,
      )
    site.hooks.deliver.tap({ name: 'cors', stage: Deliver.Headers }, (response, request) =>
      permit(response, request, settings),
    )
  },
})

/** Fetch, "CORS-preflight request". */
function isPreflight({ method, headers }: HttpRequest): boolean {
  return method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')
}

/** What is allowed, whoever asks: the browser compares, and names in its console what is missing. */
function preflight(request: HttpRequest, { methods, headers, maxAge }: CorsSettings): HttpResponse {
  const response = HttpResponse.empty(204)
  response.set('access-control-allow-methods', methods).set('access-control-max-age', maxAge)
  if (headers !== null) return response.set('access-control-allow-headers', headers)
  response.vary('Access-Control-Request-Headers')
  const asked = namesIn(request.headers.get('access-control-request-headers'))
  return asked === '' ? response : response.set('access-control-allow-headers', asked)
}

/** The names of fields in a list, as we would write it; what is no name is left out. */
function namesIn(list = ''): string {
  const names = list.split(',').map(name => name.trim())
  return names.filter(isFieldName).join(', ')
}

// What a handler says of these itself is replaced: of two policies the browser would see one, or none.
function permit(
  response: HttpResponse,
  request: HttpRequest,
  { origins, credentials, exposed }: CorsSettings,
): void {
  const { constant } = origins
  if (constant === null) response.vary('Origin')
  const allowed = constant ?? origins.allow(request.headers.get('origin'), request)
  put(response, 'access-control-allow-origin', allowed ?? '')
  put(response, 'access-control-allow-credentials', allowed !== null && credentials ? 'true' : '')
  put(response, 'access-control-expose-headers', allowed === null ? '' : exposed)
}

function put(response: HttpResponse, field: string, value: string): void {
  if (value === '') response.delete(field)
  else response.set(field, value)
}
