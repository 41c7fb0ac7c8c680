import Negotiator from 'negotiator'
import { type HttpRequest, HttpResponse } from 'rawhttp'
import { wantedNames } from './names.ts'

/** What looks like the name of a file: a script that is missing must stay missing. `/v1.2` is no such name. */
const ASSET_NAME = /\.\d*[a-z][a-z\d]*$/i

/**
 * Whether a request for a path that nobody knows may be answered by the page of an application that has routes of
 * its own: somebody goes to a page, and the path could be one.
 */
export function isForApplication(request: HttpRequest, dotfiles: boolean): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  if (ASSET_NAME.test(request.path) || wantedNames(request.path, dotfiles) === null) return false
  return request.headers.get('sec-fetch-mode') === 'navigate' || namesHtml(request.headers.get('accept'))
}

// Scripts and pictures are asked for by `*/*`, which would take a page too: only who names it means one.
function namesHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const types = new Negotiator({ headers: { accept } }).mediaTypes()
  return types.includes('text/html') || types.includes('application/xhtml+xml')
}

const copies = new WeakMap<HttpResponse, HttpResponse>()

/**
 * The same answer at another path. It does not know whether it is current, since a file may appear at that path at any
 * time, and it was chosen by what the request says of itself.
 */
export function asFallback(response: HttpResponse): HttpResponse {
  const known = copies.get(response)
  if (known !== undefined) return known
  const copy = new HttpResponse(response.status, response.body, response.headers)
  copy.vary('Accept', 'Sec-Fetch-Mode')
  copies.set(response, copy)
  return copy
}
