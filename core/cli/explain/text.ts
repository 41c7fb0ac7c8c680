import { printable } from '../../errors.ts'
import { placeText } from '../../place.ts'
import { ROOT_SITE } from '../../site.ts'
import type { RequestTrace, TracedField, TracedSite, TraceSource } from '../../trace/types.ts'
import { inColumns, styled } from '../columns.ts'
import { bodyText, stepLines } from './steps.ts'

/** A trace for people: the request, the site, the taps as a tree, the answer with who set what. */
export function textOf(trace: RequestTrace): string {
  const blocks = [requestLines(trace), [siteLine(trace.site)], stepLines(trace.steps), answerLines(trace)]
  return blocks.map(lines => lines.join('\n')).join('\n\n')
}

function requestLines({ request }: RequestTrace): string[] {
  const { method, target, path, version, scheme, headers, refused } = request
  const rows = headers.map(([name, value]) => [`  ${printable(name)}:`, printable(value)])
  const secure = scheme === 'https' ? ' over TLS' : ''
  return [
    styled('bold', `${printable(method)} ${printable(target)} HTTP/${version}${secure}`),
    ...(path === target || refused !== null ? [] : [styled('dim', `  as ${printable(path)}`)]),
    ...inColumns(rows, ['dim', null]),
  ]
}

const CHOICES: Readonly<Record<TracedSite['why'], (host: string) => string>> = {
  exact: host => `by its host ${host}`,
  wildcard: host => `by its wildcard ${host}`,
  default: () => "by '*': no other site names the host",
  given: () => 'a plugin has sent the request to it',
  refused: () => 'the site of refused messages',
  'unknown-host': () => 'no site of the config takes the host',
}

function siteLine({ name, host, why }: TracedSite): string {
  const title = name === ROOT_SITE ? 'no site' : `site ${name}`
  return `${styled('bold', title)}  ${CHOICES[why](host ?? '')}`
}

/** A value of more characters stands by itself: one policy or token would push who set the others out of sight. */
const WIDE = 60

function answerLines({ answer, outcome, faults }: RequestTrace): string[] {
  const lines = faults.map(({ code, message }) => styled('red', `fault ${code}: ${printable(message)}`))
  if (answer !== null) {
    const title = styled('bold', `answer ${answer.status}`)
    const rows = [...answer.fields.map(fieldRow), ['  body', bodyText(answer.body, outcome?.bodyBytes), '']]
    lines.push(`${title}  by ${sourceText(answer.source)}`, ...inColumns(rows, [null, null, 'dim'], WIDE))
  }
  if (outcome === null) return lines
  const { result, bytes, milliseconds, error } = outcome
  const why = error === null ? '' : `: ${printable(error)}`
  return [...lines, `${result}, ${bytes} bytes in ${milliseconds.toFixed(1)} ms${why}`]
}

function fieldRow({ name, value, source, before }: TracedField): string[] {
  const earlier = before.map(each => each.plugin ?? 'the kernel')
  const changed = earlier.length === 0 ? '' : `, before that by ${[...new Set(earlier)].join(' and ')}`
  return [`  ${printable(name)}:`, printable(value), `${sourceText(source)}${changed}`]
}

/** Who did something: `cache (rawhttp.config.ts:9)`, or the kernel with its rule. */
function sourceText({ by, plugin, configured, rule }: TraceSource): string {
  const place = configured === null ? '' : ` (${placeText(configured)})`
  if (by === 'plugin') return `${plugin}${place}`
  const section = rule?.section == null ? '' : ` (${rule.section})`
  const through = plugin === null ? '' : `, after ${plugin}${place}`
  return `the kernel: ${rule?.text ?? ''}${section}${through}`
}
