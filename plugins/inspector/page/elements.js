// @ts-check
/** @import { Browser, Elem, Happening } from '../dom.ts' */

export const browser = /** @type {Browser} */ (/** @type {unknown} */ (globalThis))

const { document } = browser

/**
 * Makes an element. Children that are strings become text, whatever is in them: markup is never read from a string.
 *
 * @param {string} name With classes: `span.name.other`.
 * @param {...(Elem | string)} children
 * @returns {Elem}
 */
export function element(name, ...children) {
  const [tag = 'div', ...classes] = name.split('.')
  const made = document.createElement(tag)
  if (classes.length > 0) made.className = classes.join(' ')
  made.append(...children)
  return made
}

/**
 * The element of the document with an id: the document and its scripts are of one piece.
 *
 * @param {string} id
 * @returns {Elem}
 */
export function byId(id) {
  const found = document.querySelector(`#${id}`)
  if (found === null) throw new Error(`the page has no element #${id}`)
  return found
}

/**
 * Listens to an event.
 *
 * @param {EventTarget} target
 * @param {string} type
 * @param {(event: Happening) => void} listener
 */
export function on(target, type, listener) {
  target.addEventListener(type, event => listener(/** @type {Happening} */ (event)))
}

/**
 * Runs a function in the next animation frame, once for all calls until then.
 *
 * @param {() => void} run
 * @returns {() => void}
 */
export function eachFrame(run) {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    browser.requestAnimationFrame(() => {
      isDue = false
      run()
    })
  }
}
