import { MASKED } from './mask.ts'
import type { RequestTrace, TraceChange, TraceStep } from './types.ts'

/**
 * A trace without the values of more fields than those that carry credentials, which have none from the start.
 *
 * @param names In lower case.
 */
export function maskTrace(trace: RequestTrace, names: ReadonlySet<string>): RequestTrace {
  if (names.size === 0) return trace
  const { request, steps, answer } = trace
  const shown = (name: string, value: string) => (names.has(name) ? MASKED : value)
  const fields = answer?.fields.map(field => ({ ...field, value: shown(field.name, field.value) })) ?? []
  return {
    ...trace,
    request: {
      ...request,
      headers: request.headers.map(([name, value]) => [name, shown(name, value)] as const),
    },
    steps: steps.map(
      (step): TraceStep => ({ ...step, changes: step.changes.map(change => maskedChange(change, names)) }),
    ),
    answer: answer && { ...answer, fields },
  }
}

function maskedChange(change: TraceChange, names: ReadonlySet<string>): TraceChange {
  if (change.what !== 'field' || !names.has(change.name)) return change
  const { from, to } = change
  return { ...change, from: from === null ? null : MASKED, to: to === null ? null : MASKED }
}
