import MiniSearch from './minisearch.js'

const form = document.querySelector('.search')
const field = document.getElementById('query')
const box = form.querySelector('.results')
const found = document.getElementById('found')
const hits = document.getElementById('hits')

/* The same as in sites/docs/make/search-index.ts, which has made the index. */
const options = { fields: ['title', 'page', 'text'], storeFields: ['page', 'title'] }
const manner = { prefix: true, fuzzy: 0.15, combineWith: 'AND', boost: { title: 4, page: 2 } }

let index = null

/** Fetched once, when somebody is about to search. */
function loadIndex() {
  index ??= fetch('/search.json').then(async answer => {
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`)
    return MiniSearch.loadJSON(await answer.text(), options)
  })
  return index
}

function item({ id, title, page }) {
  const link = document.createElement('a')
  const name = document.createElement('b')
  const place = document.createElement('span')
  link.href = id
  name.textContent = title
  place.textContent = title === page ? '' : page
  link.append(name, place)
  const entry = document.createElement('li')
  entry.append(link)
  return entry
}

function show(sentence, items) {
  found.textContent = sentence
  hits.replaceChildren(...items)
  box.hidden = false
}

async function search() {
  const query = field.value.trim()
  if (query === '') {
    box.hidden = true
    return
  }
  try {
    const all = (await loadIndex()).search(query, manner)
    // A later letter has a search of its own.
    if (query !== field.value.trim()) return
    const shown = all.slice(0, 12)
    show(all.length === 0 ? `Nothing has “${query}”.` : `${all.length} found`, shown.map(item))
  } catch (error) {
    index = null
    show(`The search does not work: ${error.message}`, [])
  }
}

/** Moves the focus among field and hits; the ends hold. */
function move(step) {
  const stops = [field, ...hits.querySelectorAll('a')]
  const at = stops.indexOf(document.activeElement)
  stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus()
}

function close() {
  box.hidden = true
  field.focus()
}

const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: close }

field.addEventListener('focus', () => void loadIndex().catch(() => {}))
field.addEventListener('input', () => void search())
form.addEventListener('submit', event => {
  event.preventDefault()
  hits.querySelector('a')?.click()
})
form.addEventListener('keydown', event => {
  const act = keys[event.key]
  if (act === undefined || box.hidden) return
  event.preventDefault()
  act()
})
form.addEventListener('focusout', ({ relatedTarget }) => {
  if (relatedTarget !== null && !form.contains(relatedTarget)) box.hidden = true
})
document.addEventListener('click', ({ target }) => {
  if (!form.contains(target) || target.closest('a')) box.hidden = true
})
document.addEventListener('keydown', event => {
  const isTyping =
    event.target.matches('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey
  if (event.key !== '/' || isTyping) return
  event.preventDefault()
  field.focus()
})

form.hidden = false
document.documentElement.dataset.search = 'ready'
