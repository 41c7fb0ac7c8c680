// @ts-check
/**
 * @import { Elem } from '../dom.ts'
 * @import { RequestTrace, TraceChange, TracedField, TraceStep } from 'rawhttp'
 * @import { Seen } from '../wire.ts'
 */
import { byId, element, on } from './elements.js'
import { stationList, stationsOf, whoAnswered } from './stations.js'
import { bodyText, counted, duration, placeText, sourceText, timeText } from './text.js'

/** All that is known of one request. */
export class Detail {
  #root = byId('detail')
  #title = byId('detail-title')
  #content = byId('detail-content')
  /** @type {() => void} */
  #onClose

  /** @param {() => void} onClose Gets the focus back. */
  constructor(onClose) {
    this.#onClose = onClose
    on(byId('detail-close'), 'click', () => this.close())
    on(this.#root, 'keydown', event => {
      if (event.key === 'Escape') this.close()
    })
  }

  /** @param {Seen} seen */
  show(seen) {
    const { request, answer } = seen.trace
    this.#title.textContent = `${request.method} ${request.path || request.target} ${answer?.status ?? ''}`
    this.#content.replaceChildren(
      stationList(stationsOf(seen)),
      facts(seen),
      ...faults(seen.trace),
      heading('What happened'),
      ...tree(seen.trace.steps),
      heading('Fields of the answer'),
      answerTable(seen.trace),
      heading('Fields of the request'),
      table(
        ['field', 'value'],
        request.headers.map(([name, value]) => [name, value]),
      ),
    )
    this.#root.hidden = false
    this.#content.scrollTop = 0
    this.#title.focus({ preventScroll: true })
  }

  close() {
    if (this.#root.hidden) return
    this.#root.hidden = true
    this.#onClose()
  }
}

/** @param {string} text */
const heading = text => element('h3', text)

/** @param {Seen} seen */
function facts({ listener, connection, via, trace }) {
  const { request, site, outcome } = trace
  const { client } = request
  const over = via.length === 0 ? '' : ` over ${via.join(', ')}`
  const where = connection === null ? 'none' : `number ${connection} at ${listener}${over}`
  const rows = [
    ['received', timeText(request.receivedAt)],
    ['client', client.port === 0 ? client.address : `${client.address} port ${client.port}`],
    ['connection', where],
    ['target', request.target],
    ['site', `${site.name} (${site.why}${site.host === null ? '' : ` ${site.host}`})`],
    ['answered by', whoAnswered(trace)],
    ['route', request.route],
    ['cache', request.cacheStatus],
    ['id', request.id],
    ['refused', request.refused && `${request.refused.sentence} (${request.refused.section})`],
    ['result', outcome && `${outcome.result}, ${outcome.bytes} bytes in ${duration(outcome.milliseconds)}`],
    ['error', outcome?.error],
  ]
  return element(
    'dl',
    ...rows.flatMap(([name, value]) =>
      value ? [element('dt', String(name)), element('dd', String(value))] : [],
    ),
  )
}

/** @param {RequestTrace} trace */
const faults = ({ faults }) =>
  faults.map(({ code, message }) => element('p.fault', element('b', code), ` ${message}`))

/**
 * The steps hook by hook, those of the kernel between.
 *
 * @param {readonly TraceStep[]} steps
 * @returns {Elem[]}
 */
function tree(steps) {
  /** @type {{ name: string, steps: TraceStep[] }[]} */
  const groups = []
  for (const step of steps) {
    const name = step.by === 'kernel' ? 'kernel' : step.hook
    const last = groups.at(-1)
    if (last?.name === name) last.steps.push(step)
    else groups.push({ name, steps: [step] })
  }
  return groups.map(group)
}

/**
 * @param {{ readonly name: string, readonly steps: readonly TraceStep[] }} group
 * @returns {Elem}
 */
function group({ name, steps }) {
  const ran = steps.filter(step => step.by === 'plugin' && step.at !== null).length
  const count = name === 'kernel' ? '' : `${ran} of ${counted(steps.length, 'tap')} ran`
  const made = element(
    'details.hook',
    element('summary', element('b', name), element('small', count)),
    element('ul', ...steps.map(stepItem)),
  )
  made.setAttribute('open', '')
  return made
}

/**
 * @param {TraceStep} step
 * @returns {Elem}
 */
function stepItem(step) {
  const changes = step.changes.map(change => element('li', changeText(change)))
  const below = changes.length === 0 ? [] : [element('ul.changes', ...changes)]
  if (step.by === 'kernel') {
    const section = step.section === null ? '' : ` (${step.section})`
    const status = step.status === null ? '' : `${step.status} `
    return element('li.kernel', `${status}${step.note}${section}`, ...below)
  }
  const { plugin, tap, stageName, milliseconds, configured, result } = step
  const label = tap === plugin || tap.startsWith(`${plugin}:`) ? tap : `${tap} of ${plugin}`
  return element(
    `li.${result}`,
    element('b', label),
    ' ',
    element('span.result', resultText(step)),
    ' ',
    element('small', [duration(milliseconds), stageName, placeText(configured)].filter(Boolean).join(' · ')),
    ...below,
  )
}

/** @param {Extract<TraceStep, { by: 'plugin' }>} step */
function resultText({ result, status, note }) {
  switch (result) {
    case 'answered':
      return `answered ${status}`
    case 'threw':
      return `threw ${status === null ? 'an error' : `HttpError ${status}`}: ${note}`
    case 'changed':
      return 'changed the response'
    case 'not-asked':
      return `not asked: ${note}`
    case 'out-of-scope':
      return 'out of scope'
    case 'unfinished':
      return 'did not come back'
    default:
      return 'passed'
  }
}

/** @param {TraceChange} change */
function changeText(change) {
  if (change.what === 'request') return change.note
  if (change.what === 'status') return `status ${change.from} → ${change.to}`
  if (change.what === 'body') return `body: ${bodyText(change.from)} → ${bodyText(change.to)}`
  const { name, from, to, rule } = change
  const section = rule?.section ? ` (${rule.section})` : ''
  const why = rule === null ? '' : `, by the kernel: ${rule.text}${section}`
  if (to === null) return `${name} removed${why}`
  return `${name}: ${from === null ? '' : `${from} → `}${to}${why}`
}

/** @param {RequestTrace} trace */
function answerTable({ answer }) {
  if (answer === null) return element('p', 'There was none.')
  const given = [
    'status',
    String(answer.status),
    sourceText(answer.source),
    placeText(answer.source.configured),
  ]
  const body = ['body', bodyText(answer.body), '', '']
  return table(['field', 'value', 'set by', 'configured at'], [given, ...answer.fields.map(fieldRow), body])
}

/** @param {TracedField} field */
function fieldRow({ name, value, source, before }) {
  const earlier = [...new Set(before.map(each => each.plugin ?? 'the kernel'))].join(' and ')
  const by = `${sourceText(source)}${earlier === '' ? '' : `, before that by ${earlier}`}`
  return [name, value, by, placeText(source.configured)]
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  return element(
    'table',
    element('thead', element('tr', ...head.map(text => element('th', text)))),
    element('tbody', ...rows.map(row => element('tr', ...row.map(text => element('td', text))))),
  )
}
