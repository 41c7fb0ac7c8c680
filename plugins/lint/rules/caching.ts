import { printable } from 'rawhttp'
import { type Answer, variesBy } from '../answer.ts'
import { membersOf, secondsOf } from '../cache-control.ts'
import { forEach, type Rule } from '../rule.ts'

/** What an answer says, and the field of the request that it was chosen by when it says something else the next time. */
const CHOSEN_BY = {
  'access-control-allow-origin': 'origin',
  'content-encoding': 'accept-encoding',
  'content-language': 'accept-language',
  'content-type': 'accept',
} as const

/** What a 304 owes its client when the 200 has it (RFC 9110 section 15.4.5). */
const OF_THE_200 = ['cache-control', 'content-location', 'etag', 'expires', 'vary']

const IN_SECONDS = ['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']

/** What caches make of an answer. */
export const caching: readonly Rule[] = [
  {
    id: 'cookie-shared',
    section: 'RFC 9111 7.3',
    field: 'set-cookie',
    check: ({ isShared }) =>
      isShared
        ? 'shared caches may store this answer, and give its cookie to others; say Cache-Control: private or no-store'
        : null,
  },
  {
    id: 'error-shared',
    section: 'RFC 9111 3',
    field: 'cache-control',
    check: ({ status, isShared }) =>
      status >= 500 && isShared ? `caches may go on with this ${status} when it is mended` : null,
  },
  {
    id: 'vary-missing',
    section: 'RFC 9110 12.5.5',
    field: 'content-encoding',
    check: answer =>
      answer.directives.has('no-store') || variesBy(answer, 'accept-encoding')
        ? null
        : 'caches may give this coding to clients that cannot read it; say Vary: Accept-Encoding',
  },
  ...forEach(['access-control-allow-origin', 'content-language', 'content-type'], field => ({
    id: 'vary-missing',
    section: 'RFC 9110 12.5.5',
    field,
    check: (answer, value) => chosenInSilence(answer, field, value),
  })),
  {
    id: 'vary-star',
    section: 'RFC 9111 4.1',
    field: 'vary',
    check: ({ isShared }, value) =>
      isShared && value.split(',').some(name => name.trim() === '*')
        ? 'Vary: * keeps caches from ever using this answer, which says that it is fresh for a while'
        : null,
  },
  {
    id: 'not-modified-incomplete',
    section: 'RFC 9110 15.4.5',
    field: null,
    check: ({ status, fields, earlier }) => {
      if (status !== 304 || earlier === null) return null
      const missing = OF_THE_200.filter(name => earlier.fields.has(name) && !fields.has(name))
      return missing.length === 0
        ? null
        : `this 304 lacks ${missing.join(' and ')}, which the 200 of this URL has; answer with the 200, the kernel makes the 304`
    },
  },
  {
    id: 'cache-control-contradiction',
    section: 'RFC 9111 5.2.2',
    field: 'cache-control',
    check: contradiction,
  },
  {
    id: 'cache-control-syntax',
    section: 'RFC 9111 5.2',
    field: 'cache-control',
    check: (_answer, value) => {
      const bad = membersOf(value).find(isNoDirective)
      return bad === undefined ? null : `"${printable(bad, 64)}" is no directive that caches understand`
    },
  },
  {
    id: 'expires-alone',
    section: 'RFC 9111 5.3',
    field: 'expires',
    check: ({ fields }) =>
      fields.has('cache-control')
        ? null
        : 'Expires goes by two clocks; say it by Cache-Control: max-age, which recipients prefer',
  },
]

/** Two answers of one URL differ, and so do the requests, but Vary does not tell. */
function chosenInSilence(answer: Answer, field: keyof typeof CHOSEN_BY, value: string): string | null {
  const { earlier, request, directives, status } = answer
  const by = CHOSEN_BY[field]
  if (earlier === null || status !== 200 || directives.has('no-store') || variesBy(answer, by)) return null
  const isOther = earlier.fields.get(field) !== value && earlier.asked.get(by) !== request.headers.get(by)
  return isOther ? `${field} was another one when ${by} was; say Vary: ${by}` : null
}

function contradiction({ directives }: Answer): string | null {
  const has = (name: string) => directives.has(name)
  const isLong = IN_SECONDS.some(name => (secondsOf(directives, name) ?? 0) > 0)
  if (has('no-store') && (isLong || has('public') || has('immutable')))
    return 'no-store forbids to keep what the rest says how to keep'
  // With names, private is about fields.
  if (has('public') && directives.get('private') === null) return 'public and private exclude each other'
  if (has('private') && has('s-maxage'))
    return 's-maxage is for shared caches, which private keeps from storing it'
  if (has('immutable') && (secondsOf(directives, 'max-age') ?? 0) === 0)
    return 'immutable holds while the answer is fresh, and no max-age says how long that is (RFC 8246 2)'
  return null
}

/** A member that is no token with an optional value, or whose seconds are no number. */
function isNoDirective(member: string): boolean {
  const found = /^([!#$%&'*+.^_`|~\w-]+)(?:=("(?:[^"\\]|\\.)*"|[!#$%&'*+.^_`|~\w-]+))?$/.exec(member)
  if (found === null) return true
  const [, name, value] = found
  return IN_SECONDS.includes(name!.toLowerCase()) && !/^"?\d+"?$/.test(value ?? '')
}
