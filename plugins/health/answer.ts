import { HttpResponse, printable } from 'rawhttp'
import type { CheckResult } from './check.ts'

/** What the results come to. A list is for who may know more than yes or no. */
export function answerOf(probe: string, results: readonly CheckResult[], isVerbose: boolean): HttpResponse {
  const isWell = results.every(({ error }) => error === null)
  const text = isVerbose ? listOf(probe, results, isWell) : isWell ? 'ok\n' : 'not ready\n'
  // A stored answer would be about another moment.
  return HttpResponse.text(text, {
    status: isWell ? 200 : 503,
    headers: { 'cache-control': 'no-store' },
  })
}

/** As Kubernetes' own endpoints show it. */
function listOf(probe: string, results: readonly CheckResult[], isWell: boolean): string {
  const lines = results.map(({ name, error }) =>
    error === null ? `[+]${printable(name)} ok` : `[-]${printable(name)} failed: ${printable(error.message)}`,
  )
  return `${[...lines, `${probe} check ${isWell ? 'passed' : 'failed'}`].join('\n')}\n`
}
