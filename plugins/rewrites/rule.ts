import {
  type Destination,
  type PathPattern,
  parseScope,
  type RequestTest,
  readDestination,
  readPattern,
  readRuleOption,
} from 'rawhttp'

/** What a path becomes, and for which requests. */
export interface RewriteTarget {
  /** A path: `/v1/:id`. Parameters of the pattern may stand in path and query. */
  readonly to: string
  /** Whether the request's query is kept, behind that of `to`. Default: `keep`. */
  readonly query?: 'keep' | 'drop' | undefined
  /** The methods that are meant, `GET` with HEAD. Default: all. */
  readonly methods?: readonly string[] | undefined
  /** The hosts that are meant, exact or `*.example.com`. Default: all of the site. */
  readonly hosts?: readonly string[] | undefined
}

/** One entry of a list of rules. */
export interface RewriteRule extends RewriteTarget {
  /** A path pattern, as routes have them: `/api/:id`, `/docs/*`. */
  readonly from: string
}

/** A rule that was read. */
export interface Rule {
  readonly pattern: PathPattern
  readonly destination: Destination
  readonly keepsQuery: boolean
  /** Null for every request. */
  readonly fits: RequestTest | null
}

/**
 * Reads a rule.
 *
 * @throws Error in a sentence that names rule and option.
 */
export function readRule({ from, to, query = 'keep', methods, hosts }: RewriteRule): Rule {
  const pattern = readRuleOption(from, 'from', () => readPattern(from))
  return {
    pattern,
    destination: readRuleOption(from, 'to', () => placeOf(to, pattern)),
    keepsQuery: query === 'keep',
    fits: readRuleOption(from, '', () => parseScope({ methods, hosts })),
  }
}

function placeOf(to: string, { names }: PathPattern): Destination {
  const destination = readDestination(to, names)
  if (destination.origin !== null)
    throw new Error('a rewrite stays on this server; redirects lead to another')
  if (destination.fragment !== '') throw new Error('a fragment means something to clients only')
  return destination
}
