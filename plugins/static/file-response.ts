import type { BigIntStats } from 'node:fs'
import { relative, sep } from 'node:path'
import { FileSlice, type HttpRequest, HttpResponse } from 'rawhttp'
import { type ByteText, diskPath, toText } from './byte-text.ts'
import type { Choose, Coding } from './codings.ts'
import type { Seen } from './disk.ts'
import type { FoundFile } from './find.ts'
import { fieldsOf, mediaType, type Rules } from './rules.ts'

/** Milliseconds after which a further change of a file is sure to change its modification time too. */
const SETTLED = 2_000

const NANOSECONDS = 1_000_000_000n

/** The answers that all requests for a file share until it changes. */
export interface Forms {
  readonly plain: HttpResponse
  /** By coding; empty where no sibling stands beside the file. */
  readonly coded: ReadonlyMap<Coding, HttpResponse>
}

/** Chooses the form of a file for a request. */
export type FormFor = (request: HttpRequest, forms: Forms) => HttpResponse

export const formFor =
  (choose: Choose): FormFor =>
  ({ headers }, { plain, coded }) => {
    if (coded.size === 0) return plain
    const coding = choose(headers.get('accept-encoding'), each => coded.has(each))
    return coding === null ? plain : coded.get(coding)!
  }

/**
 * Makes the answers for a file: media type, validators, what the rules say, and the file as body.
 *
 * @param onChange Told when the file proves to be another one as it is sent.
 */
export function formsOf(
  file: FoundFile,
  root: ByteText,
  rules: Rules,
  now: number,
  onChange: () => void,
): Forms {
  const path = toText(relative(root, file.asked)).replaceAll(sep, '/')
  const make = (seen: Seen, coding: Coding | null) => {
    const response = fileResponse(seen, coding, now, onChange).set('content-type', mediaType(rules, path))
    for (const [name, value] of fieldsOf(rules, path)) response.set(name, value)
    return file.siblings.length === 0 ? response : response.vary('Accept-Encoding')
  }
  return {
    plain: make(file, null),
    coded: new Map(file.siblings.map(sibling => [sibling.coding, make(sibling, sibling.coding)])),
  }
}

// The tag of a sibling is made of its own size and time: it may be made anew while the file stays as it is.
function fileResponse(
  { real, stats }: Seen,
  coding: Coding | null,
  now: number,
  onChange: () => void,
): HttpResponse {
  const mtimeMs = milliseconds(stats.mtimeNs)
  const identity = { size: Number(stats.size), mtimeMs, onChange }
  const response = new HttpResponse(200, new FileSlice(diskPath(real), identity))
    .set('last-modified', lastModified(mtimeMs, now))
    .set('etag', entityTag(stats, coding, now))
  return coding === null ? response : response.set('content-encoding', coding)
}

/** Whether a file and its siblings have been left alone for so long that their tags may be strong ones. */
export function areSettled({ stats, siblings }: FoundFile, now: number): boolean {
  return isSettled(stats, now) && siblings.every(sibling => isSettled(sibling.stats, now))
}

// A write in the same tick of the file system's clock leaves the modification time as it is (RFC 9110 section 8.8.1). A
// time in the future, of an archive that was packed under a wrong clock, says nothing of the last write: that of the
// last change does.
function isSettled({ mtimeNs, ctimeNs }: BigIntStats, now: number): boolean {
  const modified = milliseconds(mtimeNs)
  return now - (modified > now ? milliseconds(ctimeNs) : modified) >= SETTLED
}

function entityTag(stats: BigIntStats, coding: Coding | null, now: number): string {
  const suffix = coding === null ? '' : `-${coding}`
  const tag = `"${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}${suffix}"`
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
