import { Readable } from 'node:stream'
import { describe, HttpError } from './errors.ts'
import { FileSlice } from './file-slice.ts'

/** A body as handlers give it. Streams are read only as fast as the client takes them. */
export type ResponseBody =
  | null
  | string
  | Uint8Array
  | FileSlice
  | Readable
  | AsyncIterable<Uint8Array | string>
  | LazyBody

/** What {@link LazyBody} makes. */
export type Produced = Uint8Array | Promise<Uint8Array> | AsyncIterable<Uint8Array | string>

/**
 * What a {@link LazyBody} is made for: to be sent to this one client, or to be kept and sent to many, for which more
 * work is well spent.
 */
export type Purpose = 'send' | 'keep'

/** A body that is made only when it is sent: a 304, a 412 or HEAD costs nothing. */
export class LazyBody {
  readonly produce: (purpose: Purpose) => Produced

  constructor(produce: (purpose: Purpose) => Produced) {
    this.produce = produce
  }
}

/** The bodies in whose place others stand, which may read them: they end together. */
const replaced = new WeakMap<object, ResponseBody>()

/**
 * A value that is given as a body.
 *
 * @throws TypeError when it cannot be one.
 */
export function checkedBody(body: ResponseBody): ResponseBody {
  if (!isBody(body)) {
    throw new TypeError(
      `a body must be null, a string, bytes, a file or an async iterable, got ${describe(body)}`,
    )
  }
  if (body instanceof Readable && !body.listeners('error').includes(ignore)) body.on('error', ignore)
  return body
}

// A stream may fail before anybody reads it, and an error without a listener would end the process. Who reads it
// later is still told.
const ignore = (): void => undefined

/** Notes that a body stands in the place of another: what it does not read itself ends with it. */
export function standsFor(body: ResponseBody, before: ResponseBody): void {
  if (body === before || !holds(before)) return
  if (holds(body)) replaced.set(body, before)
  else destroyBody(before)
}

/** Ends a body that will not be read, so that nothing it holds stays open. */
export function destroyBody(body: ResponseBody): void {
  if (!holds(body)) return
  const before = replaced.get(body)
  replaced.delete(body)
  end(body)
  if (before !== undefined) destroyBody(before)
}

/** Whether a body may hold something open: a file opens anew for each reader, and bytes are bytes. */
function holds(body: ResponseBody): body is Readable | AsyncIterable<Uint8Array | string> | LazyBody {
  return (
    typeof body === 'object' && body !== null && !(body instanceof Uint8Array) && !(body instanceof FileSlice)
  )
}

// Of a generator, a stream of Node and one of the web each has one of these. What is left acquires at its first pull.
function end(body: object): void {
  const { destroy, cancel, return: finish } = body as Readonly<Record<string, unknown>>
  const ending = [destroy, cancel, finish].find(each => typeof each === 'function')
  if (ending === undefined) return
  try {
    Promise.resolve(ending.call(body)).catch(ignore)
  } catch {
    // A stream of the web that somebody still reads cannot be cancelled: the reader ends it.
  }
}

/** The pieces of a body for somebody who has taken it over: what is not read to its end must be destroyed. */
export interface OwnedBody extends AsyncIterable<Uint8Array | string> {
  /** The number of bytes, if it is known: a stream that gives another number is broken. */
  readonly length: number | null
  /** Ends the body and what stands behind it. Harmless after its end. */
  destroy(): void
}

/** A body of any kind with everything that ends with it, for a new owner. */
export function handedOver(body: Exclude<ResponseBody, null>, declared: number | null): OwnedBody {
  return {
    length: declared ?? lengthOf(body),
    [Symbol.asyncIterator]: () => pieces(body)[Symbol.asyncIterator](),
    destroy: () => destroyBody(body),
  }
}

/** The number of bytes of a body, or null when only its end will tell. */
export function lengthOf(body: ResponseBody): number | null {
  if (body === null) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array || body instanceof FileSlice) return body.length
  return null
}

/**
 * A body as pieces, whatever its kind: for a plugin that puts another body around it. Nothing is opened before the
 * first pull, and `return()` of the iterator ends the source.
 *
 * @param purpose What a body that is made only now is made for. Default: `'send'`.
 */
export function pieces(
  body: Exclude<ResponseBody, null>,
  purpose: Purpose = 'send',
): AsyncIterable<Uint8Array | string> {
  if (body instanceof LazyBody) return produced(body, purpose)
  if (typeof body === 'string' || body instanceof Uint8Array) return once(body)
  return body
}

async function* once(piece: Uint8Array | string): AsyncGenerator<Uint8Array | string> {
  yield piece
}

async function* produced(body: LazyBody, purpose: Purpose): AsyncGenerator<Uint8Array | string> {
  const made = await body.produce(purpose)
  if (made instanceof Uint8Array) yield made
  else yield* made
}

/**
 * The whole body in memory.
 *
 * @param limit In bytes; 0 = no limit.
 * @param declared The length that it must have; null when it declared none.
 * @param purpose What a {@link LazyBody} is made for.
 * @throws HttpError 500 when it is larger than the limit, Error when it is not of its declared length.
 */
export async function readBody(
  body: ResponseBody,
  limit: number,
  declared: number | null,
  purpose: Purpose = 'send',
): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let total = 0
  for await (const piece of pieces(body, purpose)) {
    const chunk = bytesOf(piece)
    total += chunk.length
    if (limit !== 0 && total > limit)
      throw new HttpError(500, `the response body is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  if (declared !== null && total !== declared)
    throw new Error(`the body has ${total} bytes, but declared a length of ${declared}`)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total)
}

/** A piece of a body as a Buffer, without a copy where it is bytes already. */
export function bytesOf(piece: unknown): Buffer {
  if (Buffer.isBuffer(piece)) return piece
  if (piece instanceof Uint8Array) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  if (typeof piece === 'string') return Buffer.from(piece)
  throw new TypeError(`a piece of a body must be a Uint8Array or a string, got ${describe(piece)}`)
}

function isBody(value: unknown): value is ResponseBody {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return true
  return value instanceof LazyBody || isIterable(value)
}

/** Whether a value can be a body that is made piece by piece. */
export function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
