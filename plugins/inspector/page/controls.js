// @ts-check
/**
 * @import { Elem } from '../dom.ts'
 * @import { Filter } from './store.js'
 * @import { Seen } from '../wire.ts'
 */
import { byId, element, on } from './elements.js'
import { whoAnswered } from './stations.js'

/** A client makes up methods as it likes: a choice has no more entries. */
const MAX_CHOICES = 50

/** The fields that say what is shown. */
export class Controls {
  #text = byId('filter-text')
  #method = new Choice('filter-method')
  #status = byId('filter-status')
  #site = new Choice('filter-site')
  #plugin = new Choice('filter-plugin')

  /** @param {(filter: Filter) => void} changed */
  constructor(changed) {
    const tell = () => changed(this.#filter())
    on(this.#text, 'input', tell)
    for (const { root } of [this.#method, this.#site, this.#plugin]) on(root, 'change', tell)
    on(this.#status, 'change', tell)
    // The fields are emptied behind the event.
    on(byId('filters'), 'reset', () => setTimeout(tell))
    on(byId('filters'), 'submit', event => event.preventDefault())
  }

  /**
   * Offers what has been seen.
   *
   * @param {readonly Seen[]} seen
   */
  offer(seen) {
    for (const { trace } of seen) {
      this.#method.offer(trace.request.method)
      this.#site.offer(trace.site.name)
      this.#plugin.offer(whoAnswered(trace))
      for (const step of trace.steps) if (step.by === 'plugin') this.#plugin.offer(step.plugin)
    }
  }

  /** @returns {Filter} */
  #filter() {
    return {
      text: this.#text.value,
      method: this.#method.root.value,
      status: this.#status.value,
      site: this.#site.root.value,
      plugin: this.#plugin.root.value,
    }
  }
}

/** A choice among what has been seen. */
class Choice {
  /** @type {Elem} */
  root
  /** @type {Set<string>} */
  #known = new Set()

  /** @param {string} id */
  constructor(id) {
    this.root = byId(id)
  }

  /** @param {string} value */
  offer(value) {
    if (this.#known.has(value) || this.#known.size >= MAX_CHOICES || value === '') return
    this.#known.add(value)
    const option = element('option', value)
    option.value = value
    this.root.append(option)
  }
}
