import { HttpError } from './errors.ts'

/** @param problem What is wrong with it, of ours alone: nothing of the client's is in it. */
export function invalidForm(problem: string, cause?: unknown): HttpError {
  const message = `the body is not a valid multipart form: ${problem}`
  return new HttpError(400, message, { code: 'BODY_INVALID_FORM', cause })
}

/** @param what In the plural: `fields`. */
export function tooMany(what: string, limit: number): HttpError {
  return new HttpError(413, `the form has more than ${limit} ${what}`, { code: 'BODY_TOO_LARGE' })
}

/** @param what `a field`, `a file`. */
export function tooLarge(what: string, limit: number): HttpError {
  return new HttpError(413, `${what} of the form is larger than ${limit} bytes`, { code: 'BODY_TOO_LARGE' })
}
