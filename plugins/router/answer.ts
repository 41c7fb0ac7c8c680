import { HttpResponse } from 'rawhttp'

/**
 * The response that a handler's answer stands for.
 *
 * @param route The route's key, for the error.
 * @throws TypeError for `undefined` and for what has no clear form.
 */
export function toResponse(answer: unknown, route: string): HttpResponse {
  if (answer instanceof HttpResponse) return answer
  if (typeof answer === 'string') return HttpResponse.text(answer)
  if (answer === null) return HttpResponse.empty()
  if (typeof answer !== 'object') throw wrongAnswer(answer, route)
  if (answer instanceof Uint8Array) return HttpResponse.bytes(answer)
  if (Symbol.asyncIterator in answer) return HttpResponse.stream(answer as AsyncIterable<Uint8Array | string>)
  if (hasJsonForm(answer)) return HttpResponse.json(answer)
  throw wrongAnswer(answer, route)
}

// Of other objects, such as a Map or an Error, JSON.stringify makes `{}`: better refused than sent.
function hasJsonForm(answer: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(answer)
  // Plain objects, those of another realm, and `params`, which is of a class without Object's prototype.
  if (prototype === null || Object.getPrototypeOf(prototype) === null || Array.isArray(answer)) return true
  return typeof (answer as { toJSON?: unknown }).toJSON === 'function'
}

function wrongAnswer(answer: unknown, route: string): TypeError {
  const kinds = 'an HttpResponse, text, a Uint8Array, a stream, a plain object or array (JSON), or null (204)'
  return new TypeError(`route "${route}" answered ${named(answer)}; expected ${kinds}`)
}

function named(answer: unknown): string {
  if (typeof answer === 'function') return 'a function'
  if (typeof answer !== 'object' || answer === null) return String(answer)
  return `an object (${answer.constructor?.name ?? 'without a class'}); HttpResponse.json() takes it if JSON has a form for it`
}
