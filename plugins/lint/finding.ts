import {
  type Diagnostic,
  type HttpRequest,
  placeText,
  printable,
  type RequestTrace,
  Slots,
  type TracedAnswer,
  type TraceSource,
} from 'rawhttp'
import type { Answer } from './answer.ts'
import type { Rule } from './rule.ts'

/** What a rule has found, and whose doing it is. */
export interface Finding {
  readonly rule: Rule
  /** What is wrong. */
  readonly what: string
  /** Who set the line that is at fault; of the answer as a whole, who gave it. */
  readonly source: TraceSource
}

/** What rules find in an answer. */
export function findingsIn(answer: Answer, traced: TracedAnswer, rules: readonly Rule[]): Finding[] {
  return rules.flatMap(rule => {
    if (rule.field === null) return found(rule, traced.source, rule.check(answer, ''))
    return linesOf(rule.field, answer, traced).flatMap(([value, source]) =>
      found(rule, source, rule.check(answer, value)),
    )
  })
}

const found = (rule: Rule, source: TraceSource, what: string | null): Finding[] =>
  what === null ? [] : [{ rule, what, source }]

// A trace masks cookies, so that values come from the answer. Its lines stand in the same order, before what the
// transport adds.
function linesOf(field: string, { fields }: Answer, traced: TracedAnswer) {
  return [...fields].flatMap(([name, value], at) =>
    name === field ? [[value, traced.fields[at]?.source ?? traced.source] as const] : [],
  )
}

/** What makes a finding the same as another one: by it each is told once. */
export function keyOf({ rule, source }: Finding, { request, site }: RequestTrace): string {
  const { plugin, tap, configured } = source
  const place = configured === null ? '' : placeText(configured)
  return [rule.id, rule.field, plugin, tap, place, site.name, request.route].join('\n')
}

/** A finding as the operator is told of it. */
export function diagnosticOf(finding: Finding, request: HttpRequest, site: string): Diagnostic {
  const { rule, what, source } = finding
  const route = request.get(Slots.route)
  const where = route === undefined ? '' : `, route ${printable(route, 256)}`
  return {
    code: `LINT_${rule.id.replaceAll('-', '_').toUpperCase()}`,
    message: `${rule.id}: ${what} (${rule.section}); ${sourceText(rule, source)}${where}`,
    severity: 'warning',
    ...(source.hook === null ? {} : { hook: source.hook }),
    ...(source.tap === null ? {} : { tap: source.tap }),
    site,
    request: printable(`${request.method} ${request.target}`),
  }
}

function sourceText({ field }: Rule, { plugin, hook, tap, configured }: TraceSource): string {
  const place = configured === null ? '' : ` (${placeText(configured)})`
  const owner = plugin === null ? 'the kernel' : `plugin "${plugin}"${place}, tap "${tap}" of ${hook}`
  return `${field === null ? 'answered' : `${field} set`} by ${owner}`
}
