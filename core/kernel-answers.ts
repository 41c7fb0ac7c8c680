import { HttpError, reasonPhrase } from './errors.ts'
import { listMembers } from './head-syntax.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'

/** Methods that the kernel knows the meaning of: with no answer they get 404 or 405, others 501. */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'])

/** What the kernel says when no tap answered: an answer to OPTIONS, else an error. */
export function unanswered(request: HttpRequest): HttpResponse | HttpError {
  const { method, allowed } = request
  if (!KNOWN_METHODS.has(method)) return new HttpError(501)
  if (allowed !== null) {
    const headers = { allow: allowOf(request) }
    if (method === 'OPTIONS') return HttpResponse.empty({ status: 204, headers })
    return new HttpError(405, undefined, { headers })
  }
  if (request.path === '*') return HttpResponse.empty(204)
  return new HttpError(404)
}

/** The methods that plugins have named, as an Allow field; empty when they named none (RFC 9110 section 10.2.1). */
function allowOf({ allowed }: HttpRequest): string {
  if (allowed === null) return ''
  const methods = new Set(allowed).add('OPTIONS')
  if (methods.has('GET')) methods.add('HEAD')
  return [...methods].sort().join(', ')
}

/** An error as an empty answer: error pages fill it, else {@link completed}. The text of a 5xx stays hidden. */
export function errorResponse({ status, message, headers, protocol }: HttpError): HttpResponse {
  const isShown = status < 500 && message !== reasonPhrase(status)
  return HttpResponse.error(status, isShown ? message : null, { headers, protocol })
}

/**
 * What a tap made of an error, with the fields that the error came with and the tap has not set: HTTP demands some
 * of them (Allow, WWW-Authenticate, Content-Range). An answer with another status is another matter, and stays.
 */
export function shaped(answer: HttpResponse, error: HttpError): HttpResponse {
  if (answer.status !== error.status) return answer
  const response = answer.seal().fork()
  if (error.protocol !== undefined) response.asksFor(error.protocol)
  for (const [name, value] of Object.entries(error.headers ?? {}))
    if (response.field(name.toLowerCase()) === undefined) response.set(name, value)
  return response
}

/** An error's answer with what the kernel owes it: text when it is empty, and in a 405 Allow (RFC 9110 section 15.5.6). */
export function completed(answer: HttpResponse, request: HttpRequest): HttpResponse {
  const lacksAllow = answer.status === 405 && answer.field('allow') === undefined
  if (answer.body !== null && !lacksAllow) return answer
  const response = answer.seal().fork()
  if (lacksAllow) response.set('allow', allowOf(request))
  return answer.body === null ? withText(response) : response
}

function withText(response: HttpResponse): HttpResponse {
  const detail = response.detail === null ? '' : `\n${response.detail}`
  response.body = `${response.status} ${reasonPhrase(response.status)}${detail}\n`
  return response.set('content-type', 'text/plain; charset=utf-8')
}

/** Why a connection cannot be handed over as an answer wants it (RFC 9110 section 7.8); null when it can. */
export function upgradeError(protocol: string, request: HttpRequest): HttpError | null {
  const offered = request.headers.get('upgrade')
  if (offered === undefined || !offers(offered, protocol)) return new HttpError(426, undefined, { protocol })
  return request.sink?.upgrade === undefined ? new HttpError(501) : null
}

/** Whether an Upgrade field names a protocol: we may switch to no other. */
function offers(upgrade: string, protocol: string): boolean {
  return listMembers(upgrade.toLowerCase()).includes(protocol.toLowerCase())
}
