import { describe } from './errors.ts'

/** One event of an event stream (WHATWG HTML, section 9.2). */
export interface ServerEvent {
  /** What listeners get; several lines are fine. An event without it only sets `id` or `retry`. */
  readonly data?: string | undefined
  /** The type. Default: `message`, which the client assumes. */
  readonly event?: string | undefined
  /**
   * What the client sends as Last-Event-ID when it comes back: give each event one, and the source can go on behind it.
   * Any text of one line, with spaces only between others, since a header field loses those at its ends. An empty
   * one takes the id back.
   */
  readonly id?: string | undefined
  /**
   * Milliseconds that the client waits before it comes back when a stream has ended or broken off. It remembers the last
   * one that it was told; browsers take 3 to 5 seconds until then. All who are told the same come back at the same
   * moment.
   */
  readonly retry?: number | undefined
}

/** A comment, which every client skips. The empty line ends the block for those who read block by block. */
export const commentText = ':\n\n'

/**
 * An event as it stands in the stream.
 *
 * @throws TypeError for what is no event, for a type or an id with a line break or NUL in it, for a `retry` that is no
 * time.
 */
export function eventText(given: ServerEvent): string {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`events: expected an event or its data as a string, got ${describe(given)}`)
  const { data, event, id, retry } = given
  let text = ''
  if (event !== undefined) text += line('event', event)
  if (id !== undefined) text += line('id', id)
  if (retry !== undefined) text += line('retry', wholeNumber(retry))
  if (data !== undefined) text += dataLines(data)
  return `${text}\n`
}

function dataLines(data: string): string {
  if (typeof data !== 'string') throw new TypeError(`events: data must be a string, got ${describe(data)}`)
  let text = ''
  for (const part of data.split(/\r\n|\r|\n/)) text += `data: ${part}\n`
  return text
}

// A line break would begin another field, or another event; clients drop an id with a NUL.
function line(field: string, value: string): string {
  if (!/[\r\n\0]/.test(value)) return `${field}: ${value}\n`
  throw new TypeError(`events: ${field} must be one line, got ${describe(value)}`)
}

function wholeNumber(milliseconds: number): string {
  if (Number.isSafeInteger(milliseconds) && milliseconds >= 0) return String(milliseconds)
  throw new TypeError(`events: retry must be a whole number of milliseconds, got ${describe(milliseconds)}`)
}
