import type { RequestTrace, TapStep, TraceStep } from 'rawhttp'

/** More than this no tool shows, and a head has to stay small. */
const MAX_METRICS = 60

/**
 * How long each tap took so far, as a Server-Timing field (W3C Server Timing): `handle.cache;dur=0.12`. Null when none has
 * run.
 */
export function serverTiming({ steps }: RequestTrace): string | null {
  const metrics = steps.filter(hasRun).slice(0, MAX_METRICS).map(metric)
  return metrics.length === 0 ? null : metrics.join(', ')
}

const hasRun = (step: TraceStep): step is TapStep & { readonly milliseconds: number } =>
  step.by === 'plugin' && step.milliseconds !== null

// The name of a metric is a token, and labels may hold anything.
function metric({ hook, tap, milliseconds }: TapStep & { readonly milliseconds: number }): string {
  const name = `${hook}.${tap}`.replaceAll(/[^!#$%&'*+.^_`|~0-9A-Za-z-]/g, '-').slice(0, 64)
  return `${name};dur=${Number(milliseconds.toFixed(3))}`
}
