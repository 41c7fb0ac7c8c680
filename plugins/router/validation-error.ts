import { HttpError, HttpResponse } from 'rawhttp'

/** One thing that a schema found wrong with a request. */
export interface Issue {
  /** The part of the request. */
  readonly in: 'params' | 'query' | 'headers' | 'body'
  /** Where in the part: names, and numbers in lists. Empty: the part as a whole. */
  readonly path: readonly (string | number)[]
  /** What the schema says of it. */
  readonly message: string
}

/** Issues that an answer lists: a large list of wrong items must not make a larger answer. */
const SHOWN = 1_000

/**
 * A request that the schemas of its route refuse: 422 (RFC 9110 section 15.5.21), answered as problem details
 * (RFC 9457) with the issues as `errors`, unless an `error` tap or the router's `onError` answers otherwise.
 */
export class ValidationError extends HttpError {
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[]) {
    super(422, 'the request is not what this route takes', { code: 'ROUTE_VALIDATION' })
    this.issues = issues
  }
}

/** The answer that tells a client all that is wrong. */
export function validationProblem({ message, issues }: ValidationError): HttpResponse {
  const errors = issues.slice(0, SHOWN)
  const more = issues.length - errors.length
  return HttpResponse.problem({
    type: 'about:blank',
    title: 'Unprocessable Content',
    status: 422,
    detail: message,
    errors,
    ...(more > 0 ? { more } : {}),
  })
}
