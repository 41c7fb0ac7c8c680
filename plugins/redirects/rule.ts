import {
  type Destination,
  type PathPattern,
  parseScope,
  type RequestTest,
  readDestination,
  readPattern,
  readRuleOption,
} from 'rawhttp'

/** The statuses of redirects (RFC 9110 section 15.4), and of what is gone for good. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308

/** Where requests go, and which of them. */
export interface RedirectTarget {
  /**
   * A path, or a URL of another server: `/new/:id`, `https://example.com/*`. Parameters of the pattern may stand in path
   * and query. Left out only with status 410.
   */
  readonly to?: string | undefined
  /** 301, 302, 303, 307 or 308; 410 says that it is gone for good. Default: that of the options. */
  readonly status?: RedirectStatus | 410 | undefined
  /** Whether the request's query is kept, behind that of `to`. Default: `keep`. */
  readonly query?: 'keep' | 'drop' | undefined
  /** The methods that are meant, `GET` with HEAD. Default: all but OPTIONS. */
  readonly methods?: readonly string[] | undefined
  /** The hosts that are meant, exact or `*.example.com`. Default: all of the site. */
  readonly hosts?: readonly string[] | undefined
}

/** One entry of a list of rules. */
export interface RedirectRule extends RedirectTarget {
  /** A path pattern, as routes have them: `/old/:id`, `/docs/*`. */
  readonly from: string
}

/** A rule that was read. */
export interface Rule {
  readonly pattern: PathPattern
  /** Null for what is gone. */
  readonly destination: Destination | null
  /** Null for that of the options. */
  readonly status: RedirectStatus | null
  readonly keepsQuery: boolean
  readonly fits: RequestTest
  /** One request that the rule is for, but for its path. */
  readonly example: { readonly method: string; readonly hostname: string }
  /** Whether it is for any method and host. */
  readonly isWide: boolean
}

/**
 * Reads a rule.
 *
 * @throws Error in a sentence that names rule and option.
 */
export function readRule({ from, to, status, query = 'keep', methods, hosts }: RedirectRule): Rule {
  const pattern = readRuleOption(from, 'from', () => readPattern(from))
  const test = readRuleOption(from, '', () => parseScope({ methods, hosts }))
  return {
    pattern,
    destination: readRuleOption(from, 'to', () => destinationOf(to, status, pattern)),
    status: status === 410 ? null : (status ?? null),
    keepsQuery: query === 'keep',
    fits: fitsOf(test, methods !== undefined),
    example: { method: methods?.[0] ?? 'GET', hostname: exampleHost(hosts?.[0]) },
    isWide: test === null,
  }
}

function destinationOf(
  to: string | undefined,
  status: number | undefined,
  { names }: PathPattern,
): Destination | null {
  if (status === 410 && to !== undefined) throw new Error('what is gone (410) leads nowhere')
  if (status === 410) return null
  if (to === undefined) throw new Error('is required, unless the status is 410')
  return readDestination(to, names)
}

// An answer to OPTIONS is about the path that was asked for, and a redirect fails a preflight of CORS.
function fitsOf(test: RequestTest | null, namesMethods: boolean): RequestTest {
  if (test !== null && namesMethods) return test
  return request => request.method !== 'OPTIONS' && (test === null || test(request))
}

const exampleHost = (host = ''): string => (host.startsWith('*') ? `a${host.slice(1)}` : host.toLowerCase())
