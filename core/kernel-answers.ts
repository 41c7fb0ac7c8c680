import { HttpError, reasonPhrase } from './errors.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'

/** Methods that the kernel knows the meaning of: with no answer they get 404 or 405, others 501. */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'])

/** What the kernel says when no tap answered: an answer to OPTIONS, else an error. */
export function unanswered(request: HttpRequest): HttpResponse | HttpError {
  const { method, allowed } = request
  if (!KNOWN_METHODS.has(method)) return new HttpError(501)
  if (allowed !== null) {
    if (allowed.has('GET')) allowed.add('HEAD')
    const allow = [...allowed.add('OPTIONS')].sort().join(', ')
    if (method === 'OPTIONS') return HttpResponse.empty({ status: 204, headers: { allow } })
    return new HttpError(405, undefined, { headers: { allow } })
  }
  if (request.path === '*') return HttpResponse.empty(204)
  return new HttpError(404)
}

/** An error as an empty answer: error pages fill it, else {@link withText}. The text of a 5xx stays hidden. */
export function errorResponse(error: HttpError): HttpResponse {
  const isShown = error.status < 500 && error.message !== reasonPhrase(error.status)
  return HttpResponse.error(error.status, isShown ? error.message : undefined, { headers: error.headers })
}

/** An empty error with the text that the kernel gives it. */
export function withText(answer: HttpResponse): HttpResponse {
  const response = answer.seal().fork()
  const detail = answer.detail === null ? '' : `\n${answer.detail}`
  response.body = `${answer.status} ${reasonPhrase(answer.status)}${detail}\n`
  return response.set('content-type', 'text/plain; charset=utf-8')
}

/** The same as an answer whose head asks for a protocol: what a 426 must do (RFC 9110 section 15.5.22). */
export function askingFor(protocol: string, response: HttpResponse): HttpResponse {
  const fork = response.seal().fork()
  fork.upgradeProtocol = protocol
  return fork
}
