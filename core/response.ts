import { stat } from 'node:fs/promises'
import { basename, extname, isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import mime from 'mime-types'
import { describe, HttpError } from './errors.ts'
import type { EventsSource } from './event-run.ts'
import { EventStream, type EventsInit } from './event-stream.ts'
import { checkedProtocol } from './field-rules.ts'
import { FileSlice } from './file-slice.ts'
import type { HeadersInit } from './headers.ts'
import { isIterable, type ResponseBody } from './response-body.ts'
import { ResponseState, type UpgradeHandler, type UpgradeOptions } from './response-state.ts'

export type { ReadOptions, Trailers, UpgradeHandler, UpgradeOptions } from './response-state.ts'

/** The last argument of every maker: a status, or status and header fields. */
export type ResponseInit =
  | number
  | {
      readonly status?: number | undefined
      readonly headers?: HeadersInit | undefined
    }

/** What {@link HttpResponse.stream} takes beside status and header fields. */
export interface StreamInit extends Exclude<ResponseInit, number> {
  /** The number of bytes, if known: a body that ends short breaks off, what runs over is cut and reported. */
  readonly length?: number | undefined
}

/** What {@link HttpResponse.error} takes beside status and text. */
export interface ErrorInit {
  readonly headers?: HeadersInit | undefined
  /** The protocol that a 426 asks for, as the Upgrade field names it: `websocket` (RFC 9110 section 15.5.22). */
  readonly protocol?: string | undefined
}

/**
 * An answer. Mutable until it is given as an answer: from then on it is a base that may be sent to any number of
 * clients, and each `transform` and `deliver` tap gets a fork of it.
 */
export class HttpResponse extends ResponseState {
  /** Plain text in UTF-8. */
  static text(text: string, init?: ResponseInit): HttpResponse {
    return make(text, init, 'text/plain; charset=utf-8')
  }

  /** An HTML page in UTF-8. */
  static html(html: string, init?: ResponseInit): HttpResponse {
    return make(html, init, 'text/html; charset=utf-8')
  }

  /**
   * A value as JSON (RFC 8259).
   *
   * @throws TypeError when JSON has no form for it (`undefined`, a function, a cycle, a bigint).
   */
  static json(value: unknown, init?: ResponseInit): HttpResponse {
    return make(jsonText(value), init, 'application/json')
  }

  /** Bytes, as `application/octet-stream` unless the headers say otherwise. */
  static bytes(bytes: Uint8Array, init?: ResponseInit): HttpResponse {
    return make(bytes, init, 'application/octet-stream')
  }

  /**
   * A body of pieces that are made as the client takes them.
   *
   * @throws TypeError for a body that is no async iterable.
   */
  static stream(body: AsyncIterable<Uint8Array | string>, init: number | StreamInit = {}): HttpResponse {
    if (!isIterable(body)) throw new TypeError(`stream: expected an async iterable, got ${describe(body)}`)
    const response = make(body, init, 'application/octet-stream')
    if (typeof init !== 'number' && init.length !== undefined) {
      response.declaredLength = checkedLength(init.length)
    }
    return response
  }

  /**
   * Server-sent events (WHATWG HTML, section 9.2), as `EventSource` reads them.
   *
   * A pause is bridged by comments. When a reload puts another config in charge, or the server stops, the stream ends by
   * itself behind its last whole event, its source is told by `signal` and `return()`, and the client comes back with the
   * `id` of that event. It also comes back when the source ends; a 204 tells it to stay away.
   *
   * Caches are told to keep none of it, and nginx to hold back none of it (`x-accel-buffering: no`); headers of your own
   * come first.
   *
   * @param source Events, or a function that gives them to one client.
   * @throws TypeError for what gives no events, and for a time that is none; in the stream for an event that cannot be
   * written.
   *
   * @example Goes on where the client has left off
   * router({
   *   'GET /news': () =>
   *     HttpResponse.events(async function* ({ lastEventId, signal }) {
   *       for await (const { id, text } of news.after(lastEventId, signal)) yield { id, data: text }
   *     }),
   * })
   */
  static events(source: EventsSource, init: number | EventsInit = {}): HttpResponse {
    const body = new EventStream(source, typeof init === 'number' ? {} : init)
    const response = make(body, init, 'text/event-stream')
    for (const [name, value] of OF_EVENTS) if (response.field(name) === undefined) response.set(name, value)
    return response
  }

  /**
   * A file of the disk, with the media type of its name and Last-Modified. No containment: the path is yours.
   *
   * @param path Absolute: `site.resolve()` makes it so.
   * @throws HttpError 404 when it is not there or is not a regular file; TypeError for a relative path.
   */
  static async file(path: string | URL, init?: ResponseInit): Promise<HttpResponse> {
    const file = path instanceof URL ? fileURLToPath(path) : path
    if (!isAbsolute(file)) {
      throw new TypeError(`file: expected an absolute path, got ${describe(path)}; use site.resolve()`)
    }
    const found = await stat(file).catch(() => null)
    if (found === null || !found.isFile()) throw new HttpError(404, undefined, { code: 'FILE_MISSING' })
    // The bare name `json` has no extension, whatever mime-types makes of it.
    const type = mime.contentType(extname(basename(file))) || 'application/octet-stream'
    const response = make(new FileSlice(file, found), init, type)
    if (response.field('last-modified') !== undefined) return response
    // RFC 9110 section 8.8.2.1: never later than the answer, whatever clock the file was written by.
    const modified = Math.min(found.mtimeMs, Date.now())
    return response.set('last-modified', new Date(modified).toUTCString())
  }

  /**
   * A redirect. Characters that a URI cannot have are escaped.
   *
   * @param init Status 301, 302 (default), 303, 307 or 308.
   */
  static redirect(location: string | URL, init: ResponseInit = 302): HttpResponse {
    const response = make(null, withStatus(init, 302))
    if (!REDIRECTS.has(response.status)) {
      throw new TypeError(`redirect: status must be 301, 302, 303, 307 or 308, got ${response.status}`)
    }
    return response.set('location', escapedUri(String(location)))
  }

  /** An answer without a body. Default: 204. */
  static empty(init: ResponseInit = 204): HttpResponse {
    return make(null, withStatus(init, 204))
  }

  /**
   * An error without a body: error pages fill it, else the kernel writes plain text.
   *
   * @throws TypeError for a status that is none of an error, and for a protocol that is not asked for by a 426.
   */
  static error(
    status: number,
    detail: string | null = null,
    { headers, protocol }: ErrorInit = {},
  ): HttpResponse {
    if (!(status >= 400)) throw new TypeError(`error: status must be 400 to 599, got ${describe(status)}`)
    const response = make(null, { status, headers })
    response.detail = detail
    return protocol === undefined ? response : response.asksFor(protocol)
  }

  /** Problem details (RFC 9457): `{ type, title, status, detail, instance, … }`. */
  static problem(
    problem: { readonly status: number; readonly [member: string]: unknown },
    init?: ResponseInit,
  ): HttpResponse {
    return make(
      jsonText(problem),
      withStatus(init ?? problem.status, problem.status),
      'application/problem+json',
    )
  }

  /** Hands the connection over once the answer has gone through `deliver` (RFC 9110 section 7.8). */
  static upgrade(options: UpgradeOptions, handler: UpgradeHandler): HttpResponse {
    checkedProtocol('upgrade', options.protocol)
    if (typeof handler !== 'function') {
      throw new TypeError(`upgrade: expected a function that takes the stream, got ${describe(handler)}`)
    }
    return new HttpResponse(200, null, options.headers).takesOver(options, handler)
  }
}

// nginx gathers what a server behind it sends, unless the answer says otherwise; it keeps the field to itself.
const OF_EVENTS = [
  ['cache-control', 'no-store'],
  ['x-accel-buffering', 'no'],
] as const

const REDIRECTS = new Set([301, 302, 303, 307, 308])

// RFC 3986 section 2: what is not of its alphabet is escaped; escapes that are there stay. A backslash above all,
// since browsers read it as a slash: `/\host` would lead to another host.
function escapedUri(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]+|["<>\\^`{|}]+/g, encodeURIComponent)
}

function make(body: ResponseBody, init: ResponseInit | undefined, type?: string): HttpResponse {
  const { status = 200, headers = undefined } = typeof init === 'number' ? { status: init } : (init ?? {})
  const response = new HttpResponse(status, body, headers)
  if (type !== undefined && response.field('content-type') === undefined) response.set('content-type', type)
  return response
}

function withStatus(init: ResponseInit, status: number): ResponseInit {
  return typeof init === 'number' ? init : { ...init, status: init.status ?? status }
}

function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`JSON has no form for ${describe(value)}`)
  return text
}

function checkedLength(length: number): number {
  if (Number.isSafeInteger(length) && length >= 0) return length
  throw new TypeError(`length must be a whole number of bytes, got ${describe(length)}`)
}
