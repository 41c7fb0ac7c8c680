// @ts-check
/** @import { Seen } from '../wire.ts' */
import { whoAnswered } from './stations.js'

/** Requests that the page remembers. */
export const MAX_ROWS = 1_000

/**
 * What is to be shown; an empty text is any.
 *
 * @typedef {object} Filter
 * @property {string} text
 * @property {string} method
 * @property {string} status The first digit; `none` for a request without an answer.
 * @property {string} site
 * @property {string} plugin One whose tap ran.
 */

/** @type {Filter} */
const ANY = { text: '', method: '', status: '', site: '', plugin: '' }

/** The last requests, the newest first, and those among them that a filter lets through. */
export class Store {
  /** @type {Seen[]} */
  #all = []
  /** @type {Filter} */
  #filter = ANY
  /** @type {readonly Seen[]} */
  rows = []

  get size() {
    return this.#all.length
  }

  /**
   * @param {readonly Seen[]} seen The oldest first.
   * @returns {number} How many of them are shown, all at the front.
   */
  add(seen) {
    const fresh = seen.toReversed()
    const shown = fresh.filter(each => isShown(each, this.#filter))
    this.#all = [...fresh, ...this.#all].slice(0, MAX_ROWS)
    const oldest = new Set(this.#all)
    this.rows = [...shown, ...this.rows].filter(each => oldest.has(each))
    return shown.length
  }

  clear() {
    this.#all = []
    this.rows = []
  }

  /** @param {Filter} filter */
  filter(filter) {
    this.#filter = filter
    this.rows = this.#all.filter(each => isShown(each, filter))
  }
}

/**
 * @param {Seen} seen
 * @param {Filter} filter
 */
function isShown({ trace }, { text, method, status, site, plugin }) {
  if (method !== '' && trace.request.method !== method) return false
  if (status !== '' && statusClass(trace.answer?.status) !== status) return false
  if (site !== '' && trace.site.name !== site) return false
  if (plugin !== '' && !hasRun(trace, plugin)) return false
  return text === '' || textOf(trace).includes(text.toLowerCase())
}

/** @param {number | undefined} status */
export const statusClass = status => (status === undefined ? 'none' : String(status)[0])

/**
 * @param {Seen['trace']} trace
 * @param {string} plugin
 */
const hasRun = (trace, plugin) =>
  whoAnswered(trace) === plugin ||
  trace.steps.some(step => step.by === 'plugin' && step.plugin === plugin && step.at !== null)

/**
 * Where the text is looked for.
 *
 * @param {Seen['trace']} trace
 */
function textOf({ request }) {
  const agent = request.headers.find(([name]) => name === 'user-agent')?.[1] ?? ''
  return [request.target, request.path, request.host, request.id ?? '', request.client.address, agent]
    .join('\n')
    .toLowerCase()
}
