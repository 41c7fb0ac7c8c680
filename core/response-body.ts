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

/** A body that is made only when it is sent: a 304, a 412 or HEAD costs nothing. */
export class LazyBody {
  readonly produce: () => Produced

  constructor(produce: () => Produced) {
    this.produce = produce
  }
}

/** The number of bytes of a body, or null when only its end will tell. */
export function lengthOf(body: ResponseBody): number | null {
  if (body === null) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array || body instanceof FileSlice) return body.length
  return null
}

/** Ends a body that will not be read, so that nothing it holds stays open. */
export function destroyBody(body: ResponseBody): void {
  // An unstarted async generator holds nothing: it acquires at its first pull.
  if (body instanceof Readable) body.destroy()
}

/** A body as pieces, whatever its kind. */
export function pieces(body: Exclude<ResponseBody, null>): AsyncIterable<Uint8Array | string> {
  if (body instanceof LazyBody) return produced(body)
  if (typeof body === 'string' || body instanceof Uint8Array) return once(body)
  return body
}

async function* once(piece: Uint8Array | string): AsyncGenerator<Uint8Array | string> {
  yield piece
}

async function* produced(body: LazyBody): AsyncGenerator<Uint8Array | string> {
  const made = await body.produce()
  if (made instanceof Uint8Array) yield made
  else yield* made
}

/**
 * The whole body in memory.
 *
 * @throws HttpError 500 when it is larger than `limit` bytes (0 = no limit).
 */
export async function readBody(body: ResponseBody, limit: number): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let total = 0
  for await (const piece of pieces(body)) {
    const chunk = bytesOf(piece)
    total += chunk.length
    if (limit !== 0 && total > limit)
      throw new HttpError(500, `the response body is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total)
}

/** A piece of a body as a Buffer, without a copy where it is bytes already. */
export function bytesOf(piece: unknown): Buffer {
  if (Buffer.isBuffer(piece)) return piece
  if (piece instanceof Uint8Array) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  if (typeof piece === 'string') return Buffer.from(piece)
  throw new TypeError(`a piece of a body must be a Uint8Array or a string, got ${describe(piece)}`)
}

/**
 * Whether a value can be a body.
 *
 * @internal
 */
export function isBody(value: unknown): value is ResponseBody {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array || value instanceof LazyBody)
    return true
  return typeof value === 'object' && value !== undefined && Symbol.asyncIterator in value
}
