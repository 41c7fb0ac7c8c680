// @ts-check
/**
 * @import { Elem } from '../dom.ts'
 * @import { TapStep, TraceStep } from 'rawhttp'
 * @import { Seen } from '../wire.ts'
 */
import { element } from './elements.js'
import { duration } from './text.js'

/**
 * A station of a request's way.
 *
 * @typedef {object} Station
 * @property {string} name
 * @property {string} text What it was there.
 * @property {number | null} milliseconds Null where no time is known: before the end of the head.
 * @property {'passed' | 'answered' | 'failed' | 'skipped'} state
 */

/** Hooks whose taps work on the answer; those of `done` come behind it. */
const BEFORE_THE_ANSWER = new Set(['handle', 'error', 'transform', 'deliver', 'protocolError'])

/**
 * @param {TraceStep} step
 * @returns {step is TapStep & { readonly at: number }}
 */
const hasRun = step => step.by === 'plugin' && step.at !== null && BEFORE_THE_ANSWER.has(step.hook)

/**
 * When the first tap began and the last one ended, in milliseconds from the head; both 0 without taps.
 *
 * @param {readonly TraceStep[]} steps
 */
function tapTimes(steps) {
  const ran = steps.filter(hasRun)
  const start = Math.min(...ran.map(({ at }) => at))
  const end = Math.max(...ran.map(({ at, milliseconds }) => at + (milliseconds ?? 0)))
  return ran.length === 0 ? { start: 0, end: 0 } : { start, end }
}

/**
 * The way of a request through the server: six stations, the last three with their times.
 *
 * @param {Seen} seen
 * @returns {Station[]}
 */
export function stationsOf({ listener, trace }) {
  const { request, site, steps, answer, outcome } = trace
  const { start, end } = tapTimes(steps)
  const isRefused = request.refused !== null
  const isPluginAnswer = answer?.source.by === 'plugin'
  const hasThrown = steps.some(
    step => step.by === 'plugin' && step.result === 'threw' && step.status === null,
  )
  const total = outcome?.milliseconds ?? end
  return [
    { name: 'client', text: request.client.address || 'local', milliseconds: null, state: 'passed' },
    {
      name: 'listener',
      text: listener ?? 'none',
      milliseconds: null,
      state: listener === null ? 'skipped' : 'passed',
    },
    {
      name: 'parser',
      text: request.refused?.id ?? `HTTP/${request.version}`,
      milliseconds: null,
      state: isRefused && site.why === 'refused' ? 'failed' : 'passed',
    },
    {
      name: 'router',
      text: site.name === '-' ? 'no site' : (request.route ?? site.name),
      milliseconds: start,
      state: isRefused ? (site.why === 'refused' ? 'skipped' : 'failed') : 'passed',
    },
    {
      name: 'plugins',
      text: whoAnswered(trace),
      milliseconds: end - start,
      state: hasThrown ? 'failed' : isPluginAnswer ? 'answered' : 'passed',
    },
    {
      name: 'response',
      text: answer === null ? (outcome?.result ?? '') : `${answer.status}`,
      milliseconds: Math.max(0, total - end),
      state: isWhole(trace) ? ((answer?.status ?? 500) >= 500 ? 'failed' : 'passed') : 'failed',
    },
  ]
}

/** @param {Seen['trace']} trace */
const isWhole = ({ answer, outcome }) =>
  answer !== null && ['sent', 'upgraded', 'refused'].includes(outcome?.result ?? '')

/**
 * @param {Seen['trace']} trace
 * @returns {string}
 */
export function whoAnswered({ answer }) {
  if (answer === null) return 'nobody'
  return answer.source.by === 'plugin' ? (answer.source.plugin ?? '') : 'kernel'
}

/** The picture of a way: a block a station, those with a time as wide as it is. */
export class Strip {
  /** @readonly */
  root = element('span.strip')

  constructor() {
    for (let i = 0; i < 6; i++) this.root.append(element('i'))
    this.root.setAttribute('role', 'img')
  }

  /** @param {readonly Station[]} stations */
  show(stations) {
    let at = 0
    for (const block of this.root.children) {
      const { name, milliseconds, state } = /** @type {Station} */ (stations[at++])
      block.className = `${name} ${state}`
      // In microseconds: shares that make less than 1 together would leave room.
      const share = milliseconds === null ? 0 : Math.max(1_000 * milliseconds, 1)
      block.style.setProperty('flex-grow', String(share))
    }
    this.root.setAttribute('aria-label', labelOf(stations))
  }
}

/**
 * @param {readonly Station[]} stations
 * @returns {string}
 */
const labelOf = stations =>
  stations
    .filter(({ milliseconds }) => milliseconds !== null)
    .map(({ name, milliseconds }) => `${name} ${duration(milliseconds)}`)
    .join(', ')

/**
 * The same with words, for one request.
 *
 * @param {readonly Station[]} stations
 * @returns {Elem}
 */
export function stationList(stations) {
  const total = stations.reduce((sum, { milliseconds }) => sum + (milliseconds ?? 0), 0)
  return element(
    'ol.stations',
    ...stations.map(({ name, text, milliseconds, state }) => {
      const bar = element('i')
      bar.style.setProperty('width', `${total === 0 ? 0 : (100 * (milliseconds ?? 0)) / total}%`)
      return element(
        `li.${name}.${state}`,
        element('b', name),
        element('span', text),
        element('small', milliseconds === null ? '\u00a0' : duration(milliseconds)),
        element('span.bar', bar),
      )
    }),
  )
}
