import { rangeStands } from '../conditional.ts'
import { HttpError } from '../errors.ts'
import type { HttpRequest } from '../request.ts'
import type { HttpResponse } from '../response.ts'
import { sectionOf } from './rules.ts'
import type { TraceRule } from './types.ts'

// Why the kernel decided as it did, told from what went in and what came out: the decisions themselves know nothing of
// traces.

const rule = (text: string, section: string | null): TraceRule => ({ text, section })

/** Why nobody's answer became this one. */
export function nobodyRule(given: HttpResponse | HttpError): TraceRule {
  const { status } = given
  if (!(given instanceof HttpError))
    return rule('nobody answered; OPTIONS gets what the path allows', 'RFC 9110 9.3.7')
  if (status === 405) return rule('plugins have the path, but not with this method', sectionOf(405))
  if (status === 501) return rule('nobody answered, and the kernel does not know the method', sectionOf(501))
  return rule('nobody answered', sectionOf(404))
}

/** Why a client gets another thing than the whole of what there is; null when it gets that, and asked for nothing else. */
export function selectionRule(
  whole: HttpResponse,
  given: HttpResponse | HttpError,
  { headers, method }: HttpRequest,
): TraceRule | null {
  switch (given.status) {
    case 412:
      return headers.has('if-match')
        ? rule('If-Match names none of the tags that there are', 'RFC 9110 13.1.1')
        : rule(
            'it was changed after If-Unmodified-Since, or there is what If-None-Match excludes',
            'RFC 9110 13.1.4',
          )
    case 304:
      return headers.has('if-none-match')
        ? rule('If-None-Match names the tag: the client has it', 'RFC 9110 13.1.2')
        : rule('it was not changed since If-Modified-Since: the client has it', 'RFC 9110 13.1.3')
    case 416:
      return rule('the Range lies outside of what there is', 'RFC 9110 15.5.17')
    case 206:
      return rule('the client asks for parts by Range', 'RFC 9110 14.2')
    default:
      return headers.has('range') && method === 'GET' && whole.status === 200
        ? wholeRule(whole, headers)
        : null
  }
}

function wholeRule(whole: HttpResponse, headers: HttpRequest['headers']): TraceRule {
  const state = {
    etag: whole.field('etag'),
    lastModified: whole.field('last-modified'),
    date: whole.field('date'),
  }
  return rangeStands(headers.get('if-range'), state)
    ? rule('the Range is not one that can be served of this: the whole goes out', 'RFC 9110 14.2')
    : rule('If-Range names another state than this: the whole goes out', 'RFC 9110 13.1.5')
}
