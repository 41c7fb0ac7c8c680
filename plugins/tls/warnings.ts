import type { Diagnostic } from 'rawhttp'
import type { Pair } from './pair.ts'

/** How long before its end a certificate is worth a warning. Whoever renews by machine does it at 30 days. */
const SOON = 14 * 86_400_000

/** What is to be said about the time in which a certificate is valid, or null. */
function validity({ leaf, place }: Pair, now = Date.now()): string | null {
  const [from, to] = [leaf.validFromDate, leaf.validToDate]
  if (now > to.getTime()) return `${place}: the certificate expired on ${day(to)}; clients will refuse it`
  if (now < from.getTime()) return `${place}: the certificate is not valid before ${day(from)}`
  return to.getTime() - now > SOON ? null : `${place}: the certificate expires on ${day(to)}`
}

const day = (date: Date): string => date.toISOString().slice(0, 10)

/** Tells of certificates that have expired or soon will, and of chains that some clients refuse; of each once. */
export class Warnings {
  readonly #report: (diagnostic: Diagnostic) => void
  readonly #given = new Set<string>()

  constructor(report: (diagnostic: Diagnostic) => void) {
    this.#report = report
  }

  about(pair: Pair): void {
    const sentence = validity(pair)
    for (const message of sentence === null ? pair.warnings : [sentence, ...pair.warnings]) {
      if (this.#given.has(message)) continue
      this.#given.add(message)
      this.#report({ code: 'TLS_CERTIFICATE', message, severity: 'warning' })
    }
  }
}
