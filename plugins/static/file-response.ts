import type { BigIntStats } from 'node:fs'
import { basename, extname } from 'node:path'
import mime from 'mime-types'
import { FileSlice, HttpResponse } from 'rawhttp'
import type { FoundFile } from './disk.ts'

/** Milliseconds after which a further change of a file is sure to change its modification time too. */
const SETTLED = 2_000

const NANOSECONDS = 1_000_000_000n

/** The answer that all requests for a file share until it changes: media type, validators, and the file as body. */
export function fileResponse({ asked, real, stats }: FoundFile, now: number): HttpResponse {
  const mtimeMs = milliseconds(stats.mtimeNs)
  return new HttpResponse(200, new FileSlice(real, { size: Number(stats.size), mtimeMs }))
    .set('content-type', mediaType(asked))
    .set('last-modified', lastModified(mtimeMs, now))
    .set('etag', entityTag(stats, now))
}

/**
 * Whether a file has been left alone for so long that its tag may be a strong one. A write in the same tick of the
 * file system's clock leaves the modification time as it is (RFC 9110 section 8.8.1).
 */
export function isSettled(stats: BigIntStats, now: number): boolean {
  return now - milliseconds(stats.mtimeNs) >= SETTLED
}

/** The media type by the name asked for, with a charset for text. The bare name `json` has no extension. */
export function mediaType(path: string): string {
  return mime.contentType(extname(basename(path))) || 'application/octet-stream'
}

function entityTag(stats: BigIntStats, now: number): string {
  const tag = `"${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}"`
  return isSettled(stats, now) ? tag : `W/${tag}`
}

// RFC 9110 section 8.8.2.1: never later than the message itself.
function lastModified(mtimeMs: number, now: number): string {
  return new Date(Math.min(mtimeMs, now)).toUTCString()
}

// Step by step as Node makes `mtimeMs`, so that the kernel, which compares the two when it opens the file, finds
// them equal to the last bit. Seconds round down also before 1970.
function milliseconds(nanoseconds: bigint): number {
  const rest = ((nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS
  return Number((nanoseconds - rest) / NANOSECONDS) * 1_000 + Number(rest) / 1_000_000
}
