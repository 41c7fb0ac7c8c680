import { type Diagnostic, HttpError, refusals } from './errors.ts'
import type { HttpRequest } from './request.ts'
import { type Tap, tapFailed, tapOf } from './tap.ts'

/**
 * What went wrong with a request, for the operator.
 *
 * @param givenBy The tap that gave the answer: it is to blame when the error names none.
 */
export function faultOf(error: Error, request: HttpRequest, givenBy?: Tap | null): Diagnostic {
  const tap = tapOf(error) ?? givenBy
  if (tap !== undefined && tap !== null) return tapFailed(error, tap, request)
  return {
    code: error instanceof HttpError ? error.code : 'EXCHANGE_FAILED',
    message: `${request.summary} failed: ${error.message}`,
    severity: 'error',
    site: request.currentSite?.name,
    request: request.summary,
    cause: error,
  }
}

/** A refused message, for the operator. */
export function refusalOf(request: HttpRequest): Diagnostic {
  const { id, section } = request.refused!
  const { address } = request.client
  const from = address === '' ? '' : ` from ${address}`
  return {
    code: id,
    message: `a message${from} was refused: ${refusals[id].sentence} (${section})`,
    severity: id === 'H1-TLS-HELLO' ? 'warning' : 'info',
    site: request.currentSite?.name,
    request: request.summary,
  }
}

/** A body that ran over the length that it declared, for the operator. */
export function overrun(declared: number, request: HttpRequest, givenBy?: Tap | null): Diagnostic {
  const message = `the body of ${request.summary} ran over its declared ${declared} bytes; the rest was cut`
  return misuse('BODY_TOO_LONG', message, request, givenBy)
}

/** A body that was given to a status that has none, for the operator. */
export function dropped(status: number, request: HttpRequest, givenBy?: Tap | null): Diagnostic {
  const message = `a ${status} has no body; the one given for ${request.summary} was dropped`
  return misuse('BODY_DROPPED', message, request, givenBy)
}

/** What the kernel has put right in an answer. */
function misuse(code: string, message: string, request: HttpRequest, givenBy?: Tap | null): Diagnostic {
  const { summary, currentSite } = request
  return {
    code,
    message,
    severity: 'error',
    plugin: givenBy?.plugin,
    site: currentSite?.name,
    request: summary,
  }
}

/** What the operator is told of an error: nothing when it is an answer to what the client did. */
export function faultIn(error: Error, request: HttpRequest, givenBy?: Tap | null): Diagnostic | null {
  return error instanceof HttpError && error.status < 500 ? null : faultOf(error, request, givenBy)
}
