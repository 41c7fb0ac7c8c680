import { HttpResponse, printable } from 'rawhttp'
import type { CheckResult } from './check.ts'

/** What the results come to. A list is for who may know more than yes or no. */
export function answerOf(probe: string, results: readonly CheckResult[], isVerbose: boolean): HttpResponse {
  const isWell = results.every(({ error }) => error === null)
  const text = isVerbose ? listOf(probe, results, isWell) : isWell ? 'ok\n' : 'not ready\n'
  // A stored answer would be about another moment.
  const headers = { 'cache-control': 'no-store' }
  if (isWell) return HttpResponse.text(text, { headers })
  // Scripts that wait for the server, such as curl with --retry, go by the field.
  return HttpResponse.text(text, { status: 503, headers: { ...headers, 'retry-after': '1' } })
}

/** As Kubernetes' own endpoints show it. */
function listOf(probe: string, results: readonly CheckResult[], isWell: boolean): string {
  const lines = results.map(({ name, error }) =>
    error === null ? `[+]${printable(name)} ok` : `[-]${printable(name)} failed: ${printable(error.message)}`,
  )
  return `${[...lines, `${probe} check ${isWell ? 'passed' : 'failed'}`].join('\n')}\n`
}
