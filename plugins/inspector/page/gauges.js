// @ts-check
/** @import { Gauges } from '../wire.ts' */
import { byId } from './elements.js'

/** Milliseconds over which the rate is counted. */
const SPAN = 2_000

/** The numbers at the head of the page. */
export class GaugeBar {
  /** @type {{ at: number, answered: number }[]} */
  #past = []

  /**
   * @param {Gauges} gauges
   * @param {number} at Milliseconds.
   */
  show({ connections, requests, answered, cache }, at) {
    byId('gauge-connections').textContent = String(connections)
    byId('gauge-requests').textContent = String(requests)
    byId('gauge-rate').textContent = this.#rate(answered, at)
    byId('gauge-hits').textContent = cache === null ? '–' : String(cache.hits)
    byId('gauge-misses').textContent = cache === null ? '–' : String(cache.misses)
  }

  /**
   * @param {number} answered
   * @param {number} at
   */
  #rate(answered, at) {
    // A reload begins to count anew.
    if ((this.#past.at(-1)?.answered ?? 0) > answered) this.#past = []
    this.#past.push({ at, answered })
    while (this.#past.length > 2 && at - (this.#past[1]?.at ?? at) >= SPAN) this.#past.shift()
    const first = this.#past[0]
    if (first === undefined || first.at === at) return '0'
    return ((1_000 * (answered - first.answered)) / (at - first.at)).toFixed(0)
  }
}
