import type { Diagnostic } from './errors.ts'

/**
 * Messages for the operator, by level. They go the way of every diagnostic: to the `report` taps, else to stderr,
 * where `info` shows with `--verbose` only.
 */
export interface Log {
  info(message: string, cause?: unknown): void
  warn(message: string, cause?: unknown): void
  error(message: string, cause?: unknown): void
}

/** @internal A log whose messages are diagnostics with the code `LOG`. */
export function logTo(report: (diagnostic: Diagnostic) => void): Log {
  const at = (severity: Diagnostic['severity']) => (message: string, cause?: unknown) =>
    report({ code: 'LOG', message, severity, ...(cause === undefined ? {} : { cause }) })
  return Object.freeze({ info: at('info'), warn: at('warning'), error: at('error') })
}
