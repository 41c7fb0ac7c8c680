// @ts-check
/** @import { Place, TracedBody, TraceSource } from 'rawhttp' */

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

/** @param {number} at Milliseconds since 1970. */
export const timeText = at => clock.format(at)

/** @param {number | null | undefined} milliseconds */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return ''
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(2)} s`
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`
}

/**
 * Where something is configured: the file with its folder, and the line.
 *
 * @param {Place | null} place
 */
export function placeText(place) {
  if (place === null) return ''
  const file = place.file.split(/[\\/]/).slice(-2).join('/')
  return place.line === null ? file : `${file}:${place.line}`
}

/** @param {TraceSource} source */
export function sourceText({ by, plugin, rule }) {
  if (by === 'plugin') return plugin ?? ''
  const section = rule?.section ? ` (${rule.section})` : ''
  const through = plugin === null ? '' : `, after ${plugin}`
  return `the kernel: ${rule?.text ?? ''}${section}${through}`
}

/** @param {TracedBody} body */
export function bodyText({ kind, bytes }) {
  if (kind === 'none') return 'none'
  const name = kind === 'made-when-sent' ? 'made when it is sent' : kind
  return bytes === null ? name : `${name}, ${bytes} bytes`
}

/**
 * A number with its noun: `1 tap`, `3 taps`.
 *
 * @param {number} number
 * @param {string} noun
 */
export const counted = (number, noun) => `${number.toLocaleString('en')} ${number === 1 ? noun : `${noun}s`}`
