const root = document.documentElement
const form = document.getElementById('hello')
const field = document.getElementById('name')
const answer = document.getElementById('answer')
const timing = document.getElementById('timing')
const caption = document.getElementById('caption')
const calm = matchMedia('(prefers-reduced-motion: reduce)')

/* The picture: hover, focus or tap a stage, and its sentence from the list stands under it. */

function explain(stop) {
  const entry = document.querySelector(stop.getAttribute('href'))
  for (const other of document.querySelectorAll('.stop.is-on')) other.classList.remove('is-on')
  stop.classList.add('is-on')
  caption.replaceChildren(...entry.cloneNode(true).childNodes)
  caption.classList.toggle('is-hook', entry.classList.contains('is-hook'))
  caption.parentElement.classList.add('is-open')
}

for (const stop of document.querySelectorAll('.stop')) {
  stop.addEventListener('pointerenter', () => explain(stop))
  stop.addEventListener('focus', () => explain(stop))
  stop.addEventListener('click', event => {
    // Without a script the link jumps to the list; here the sentence is already in sight.
    event.preventDefault()
    explain(stop)
  })
}
caption.textContent = 'Point at a stage, tap it or reach it with the Tab key.'

function runPacket() {
  if (calm.matches) return
  for (const packet of document.querySelectorAll('.packet')) {
    const track = { strokeDashoffset: [3.5, -101] }
    packet.animate(track, { duration: 2200, easing: 'ease-in-out' })
  }
}

/* The form */

let running = new AbortController()

function show(text, detail, failed) {
  answer.textContent = text
  answer.classList.toggle('is-error', failed)
  timing.textContent = detail
}

async function hello(name) {
  // A slow earlier answer must not overwrite a later one.
  running.abort()
  running = new AbortController()
  const { signal } = running
  const started = performance.now()
  let detail = ''
  try {
    const path = `/api/hello/${encodeURIComponent(name)}`
    const response = await fetch(path, { signal, headers: { accept: 'application/json' }, cache: 'no-store' })
    const text = await response.text()
    const milliseconds = (performance.now() - started).toFixed(1)
    const status = `${response.status} ${response.statusText}`.trim()
    detail = `GET ${path} answered ${status} in ${milliseconds} ms`
    if (!response.ok) return show('That did not work.', detail, true)
    show(`Hello, ${JSON.parse(text).hello}!`, detail, false)
  } catch (error) {
    if (signal.aborted) return
    const sentence = detail
      ? 'The answer was not the JSON it should be.'
      : 'No answer came. Is the server running?'
    show(sentence, detail || String(error.message), true)
  }
}

form.addEventListener('submit', event => {
  event.preventDefault()
  runPacket()
  void hello(field.value.trim() || 'world')
})

timing.textContent = ''
void hello('world')
root.dataset.ready = 'true'
