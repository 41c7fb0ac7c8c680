import { unmarked } from './config/module-mark.ts'
import { type Diagnostic, HttpError, printable } from './errors.ts'
import { writeError } from './stderr.ts'

/** Writes a diagnostic to stderr: one line with plugin and request, and the stack of an unforeseen error. */
export function printDiagnostic(diagnostic: Diagnostic, verbose: boolean): void {
  const { severity, code, cause } = diagnostic
  if (severity === 'info' && !verbose) return
  let text = `rawhttp: ${severity}: ${sentenceOf(diagnostic)} (${code})\n`
  if (cause instanceof Error && (verbose || !(cause instanceof HttpError))) text += stackOf(cause)
  writeError(text)
}

// Many messages name plugin or request themselves.
function sentenceOf({ message, plugin, request }: Diagnostic): string {
  const owner = plugin === undefined || message.includes(`plugin "${plugin}"`) ? '' : `plugin "${plugin}": `
  const about = request === undefined || message.includes(request) ? '' : `; ${request}`
  return `${owner}${printable(message, 4_096)}${printable(about, 512)}`
}

// The message of an error may hold what a client sent: each line of the stack is escaped like any other.
function stackOf(error: Error): string {
  const frames = unmarked(error.stack ?? '')
    .split('\n')
    .filter(line => line.startsWith('    at '))
  return frames.map(line => `${printable(line)}\n`).join('')
}
