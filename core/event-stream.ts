import { describe } from './errors.ts'

/** One event of an event stream (WHATWG HTML, section 9.2). */
export interface ServerEvent {
  /** What listeners get; several lines are fine. An event without it only sets `id` or `retry`. */
  readonly data?: string | undefined
  /** The type. Default: `message`, which the client assumes. */
  readonly event?: string | undefined
  /** What the client sends as Last-Event-ID when it comes back. */
  readonly id?: string | undefined
  /** Milliseconds before the client comes back when the stream breaks off. */
  readonly retry?: number | undefined
}

/** Events as text; a plain string is an event with this data. */
export async function* eventStream(events: AsyncIterable<ServerEvent | string>): AsyncGenerator<string> {
  for await (const event of events) yield eventText(typeof event === 'string' ? { data: event } : event)
}

function eventText({ data, event, id, retry }: ServerEvent): string {
  let text = ''
  if (event !== undefined) text += line('event', event)
  if (id !== undefined) text += line('id', id)
  if (retry !== undefined) text += line('retry', wholeNumber(retry))
  if (data !== undefined) for (const part of data.split(/\r\n|\r|\n/)) text += `data: ${part}\n`
  return `${text}\n`
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
