// @ts-check
/**
 * @import { Frame, Seen } from '../wire.ts'
 */
import { Controls } from './controls.js'
import { Detail } from './detail.js'
import { browser, byId, eachFrame, on } from './elements.js'
import { GaugeBar } from './gauges.js'
import { List } from './list.js'
import { MAX_ROWS, Store } from './store.js'
import { counted } from './text.js'

const store = new Store()
const detail = new Detail(() => list.focus())
const list = new List(seen => detail.show(seen))
const gauges = new GaugeBar()
const pause = byId('pause')

/** What has come since the last animation frame. */
let waiting = /** @type {Seen[]} */ ([])
let latest = /** @type {Frame['gauges'] | null} */ (null)
let leftOut = 0
let isPaused = false
let state = 'connecting'

const controls = new Controls(filter => {
  store.filter(filter)
  list.show(store.rows)
  draw()
})

const draw = eachFrame(() => {
  if (waiting.length > 0) {
    controls.offer(waiting)
    const added = store.add(waiting)
    waiting = []
    list.show(store.rows, added)
  }
  if (latest !== null) gauges.show(latest, performance.now())
  latest = null
  byId('empty').hidden = store.rows.length > 0
  byId('empty').textContent = store.size > 0 ? 'No request fits the filter.' : 'Waiting for requests …'
  byId('shown').textContent = `${counted(store.rows.length, 'request')} of ${store.size} shown`
  byId('left-out').textContent = leftOut === 0 ? '' : `${counted(leftOut, 'request')} left out`
  byId('state').textContent = isPaused ? 'paused' : state
  byId('state').setAttribute('data-state', isPaused ? 'paused' : state)
})

/** @param {Frame} frame */
function take({ requests, leftOut: missed, gauges }) {
  latest = gauges
  leftOut += missed
  if (isPaused) leftOut += requests.length
  else waiting.push(...requests)
  // A page in the background gets no animation frames; it need not keep more than it will show.
  if (waiting.length > MAX_ROWS) waiting = waiting.slice(-MAX_ROWS)
  draw()
}

on(pause, 'click', () => {
  isPaused = !isPaused
  pause.setAttribute('aria-pressed', String(isPaused))
  draw()
})

on(byId('clear'), 'click', () => {
  store.clear()
  waiting = []
  leftOut = 0
  list.show(store.rows)
  draw()
})

browser.addEventListener('resize', () => list.resized())

const source = new browser.EventSource(new URL('events', import.meta.url))
on(source, 'message', event => take(JSON.parse(event.data)))
on(source, 'open', () => {
  state = 'live'
  draw()
})
on(source, 'error', () => {
  // By itself it comes back from all but an answer that is no stream.
  state = source.readyState === browser.EventSource.CLOSED ? 'ended: load the page anew' : 'reconnecting'
  draw()
})
draw()
