// @ts-check
/**
 * @import { Elem } from '../dom.ts'
 * @import { Seen } from '../wire.ts'
 */
import { byId, eachFrame, element, on } from './elements.js'
import { Strip, stationsOf, whoAnswered } from './stations.js'
import { statusClass } from './store.js'
import { duration, timeText } from './text.js'

/** As the sheet has it. */
const ROW = 28

/** The rows in sight: an element for each place on the screen, which shows what is scrolled there. */
export class List {
  #viewport = byId('rows')
  #canvas = byId('canvas')
  /** @type {Row[]} */
  #pool = []
  /** @type {readonly Seen[]} */
  #rows = []
  /** @type {Seen | null} */
  #active = null
  /**
   * What was under the pointer when it went down: until it comes up, newer requests may have taken the place.
   *
   * @type {Seen | null}
   */
  #pressed = null
  /** @type {(seen: Seen) => void} */
  #open
  #draw = eachFrame(() => this.#drawn())

  /** @param {(seen: Seen) => void} open What to do with a request that is chosen. */
  constructor(open) {
    this.#open = open
    on(this.#viewport, 'scroll', this.#draw)
    on(this.#viewport, 'keydown', event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (this.#key(event.key)) event.preventDefault()
    })
    on(this.#viewport, 'focus', () => this.activate(this.#active ?? this.#rows[0] ?? null))
    on(this.#canvas, 'pointerdown', event => {
      this.#pressed = this.#seenAt(event.target)
    })
    on(this.#canvas, 'click', event => {
      // From one row to another is no click on either; one of a screen reader comes without a pointer.
      const seen = this.#seenAt(event.target)
      if (seen !== null) this.#choose(this.#pressed ?? seen)
    })
  }

  /**
   * @param {readonly Seen[]} rows
   * @param {number} [added] How many of them are new, at the front: what is being read stays where it is.
   */
  show(rows, added = 0) {
    this.#rows = rows
    this.#canvas.style.setProperty('height', `${rows.length * ROW}px`)
    this.#viewport.setAttribute('aria-rowcount', String(rows.length + 1))
    if (this.#active !== null && !rows.includes(this.#active)) this.#active = null
    if (added > 0 && this.#viewport.scrollTop > 0) this.#viewport.scrollTop += added * ROW
    this.#draw()
  }

  focus() {
    this.#viewport.focus()
  }

  resized() {
    this.#draw()
  }

  /** @param {Seen | null} seen */
  activate(seen) {
    this.#active = seen
    const at = seen === null ? -1 : this.#rows.indexOf(seen)
    if (at >= 0) this.#reveal(at)
    this.#draw()
  }

  /** @param {number} at */
  #reveal(at) {
    const { scrollTop, clientHeight } = this.#viewport
    const top = at * ROW
    // The row of names lies over the first one in sight.
    const room = clientHeight - ROW
    if (top < scrollTop) this.#viewport.scrollTop = top
    else if (top + ROW > scrollTop + room) this.#viewport.scrollTop = top + ROW - room
  }

  /** @param {unknown} target Of an event. */
  #seenAt(target) {
    return this.#pool.find(({ root }) => root.contains(target))?.seen ?? null
  }

  /** @param {Seen} seen */
  #choose(seen) {
    this.#pressed = null
    this.activate(seen)
    this.#open(seen)
  }

  /**
   * @param {string} key
   * @returns {boolean} Whether it was for the list.
   */
  #key(key) {
    const at = this.#active === null ? -1 : this.#rows.indexOf(this.#active)
    const page = Math.max(1, Math.floor(this.#viewport.clientHeight / ROW) - 1)
    const steps = /** @type {Record<string, number>} */ ({
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: this.#rows.length - 1,
    })
    if (key === 'Enter' && this.#active !== null) {
      this.#open(this.#active)
      return true
    }
    const to = steps[key]
    if (to === undefined || this.#rows.length === 0) return false
    this.activate(this.#rows[Math.min(Math.max(to, 0), this.#rows.length - 1)] ?? null)
    return true
  }

  #drawn() {
    const first = Math.floor(this.#viewport.scrollTop / ROW)
    const count = Math.ceil(this.#viewport.clientHeight / ROW) + 1
    while (this.#pool.length < count) {
      const place = new Row(this.#pool.length)
      this.#pool.push(place)
      this.#canvas.append(place.root)
    }
    let active = ''
    for (const [i, place] of this.#pool.entries()) {
      // Places go round, so that scrolling changes those alone that come into sight.
      const at = first + ((i - (first % this.#pool.length) + this.#pool.length) % this.#pool.length)
      const seen = this.#rows[at]
      place.show(seen ?? null, at, seen !== undefined && seen === this.#active)
      if (seen !== undefined && seen === this.#active) active = place.root.id
    }
    if (active === '') this.#viewport.removeAttribute('aria-activedescendant')
    else this.#viewport.setAttribute('aria-activedescendant', active)
  }
}

const CELLS = ['time', 'method', 'path', 'status', 'site', 'by', 'took']

/** One place on the screen. */
class Row {
  /** @type {Seen | null} */
  seen = null
  /** @readonly */
  root = element('div.row')
  #strip = new Strip()
  /** @type {readonly Elem[]} */
  #cells

  /** @param {number} number */
  constructor(number) {
    this.#cells = CELLS.map(name => element(`span.${name}`))
    for (const cell of this.#cells) cell.setAttribute('role', 'gridcell')
    const picture = element('span.way', this.#strip.root)
    picture.setAttribute('role', 'gridcell')
    this.root.append(...this.#cells, picture)
    this.root.id = `row-${number}`
    this.root.setAttribute('role', 'row')
  }

  /**
   * @param {Seen | null} seen
   * @param {number} at
   * @param {boolean} isActive
   */
  show(seen, at, isActive) {
    this.root.hidden = seen === null
    this.root.classList.toggle('active', isActive)
    this.root.setAttribute('aria-selected', String(isActive))
    this.root.setAttribute('aria-rowindex', String(at + 2))
    this.root.style.setProperty('transform', `translateY(${at * ROW}px)`)
    if (seen === this.seen) return
    this.seen = seen
    if (seen !== null) this.#fill(seen)
  }

  /** @param {Seen} seen */
  #fill(seen) {
    const { request, site, answer, outcome } = seen.trace
    const { method, path, target, receivedAt } = request
    const texts = [
      timeText(receivedAt),
      method,
      path || target,
      answer === null ? (outcome?.result ?? '') : String(answer.status),
      site.name,
      whoAnswered(seen.trace),
      duration(outcome?.milliseconds),
    ]
    for (const [i, cell] of this.#cells.entries()) cell.textContent = texts[i] ?? ''
    this.root.setAttribute('data-status', statusClass(answer?.status) ?? 'none')
    this.root.setAttribute('data-by', whoAnswered(seen.trace))
    this.#strip.show(stationsOf(seen))
  }
}
