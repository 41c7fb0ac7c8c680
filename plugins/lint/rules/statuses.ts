import { printable } from 'rawhttp'
import type { Answer } from '../answer.ts'
import type { Rule } from '../rule.ts'

/** What a status demands beside itself, where the kernel does not see to it. */
export const statuses: readonly Rule[] = [
  {
    id: 'challenge-missing',
    section: 'RFC 9110 15.5.2',
    field: null,
    check: ({ status, fields }) =>
      status === 401 && !fields.has('www-authenticate')
        ? 'a 401 has to say by WWW-Authenticate how to get in; for who may not, however, there is 403'
        : null,
  },
  {
    id: 'retry-after-missing',
    section: 'RFC 9110 10.2.3',
    field: null,
    // When a handler that was late will do better, the kernel cannot know.
    check: ({ status, fields, isOfKernel }) =>
      (status === 429 || status === 503) && !isOfKernel && !fields.has('retry-after')
        ? `without Retry-After clients ask again when they like after this ${status}`
        : null,
  },
  {
    id: 'location-missing',
    section: 'RFC 9110 15.4',
    field: null,
    check: ({ status, fields }) =>
      isRedirect(status) && !fields.has('location') ? `a ${status} without Location leads nowhere` : null,
  },
  {
    id: 'location-raw',
    section: 'RFC 3986 2',
    field: 'location',
    check: (_answer, value) =>
      /[^\x21-\x7e]|["<>\\^`{|}]|%(?![\da-f]{2})/i.test(value)
        ? `"${printable(value, 128)}" has characters that no URI has; HttpResponse.redirect escapes them`
        : null,
  },
  {
    id: 'redirect-loop',
    section: 'RFC 9110 15.4',
    field: 'location',
    check: (answer, value) =>
      leadsBack(answer, value) ? 'it leads to the very URL that was asked for, without end' : null,
  },
]

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status)

// With a cookie the next request is another one.
function leadsBack({ request, status, fields }: Answer, location: string): boolean {
  const { method, scheme, host, target } = request
  const isSame = method === 'GET' || method === 'HEAD' || status === 307 || status === 308
  const asked = URL.parse(target, `${scheme}://${host}`)
  if (asked === null || !isRedirect(status) || !isSame || fields.has('set-cookie')) return false
  const next = URL.parse(location, asked.href)
  return next !== null && bare(next) === bare(asked)
}

/** A fragment is nothing that a server sees. */
const bare = ({ origin, pathname, search }: URL): string => `${origin}${pathname}${search}`
