import type { Peer } from 'rawhttp'
import { readBinary } from './binary.ts'
import { readLine } from './line.ts'

/** The two ends of the connection that a proxy passes on. */
export interface Ends {
  readonly client: Peer
  /** Where the client connected to. */
  readonly local: Peer
}

/** What the first bytes of a connection are, by haproxy's `proxy-protocol.txt`. */
export type Reading =
  /** Not clear before there are `needed` bytes. */
  | { readonly kind: 'unfinished'; readonly needed: number }
  /** A header of `length` bytes. `ends` is null where the proxy speaks for itself or does not know. */
  | { readonly kind: 'header'; readonly length: number; readonly ends: Ends | null }
  /** Something else. */
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly problem: string }

/** `PROXY` and the space behind it: version 1 (section 2.1). */
const LINE = Buffer.from('PROXY ', 'latin1')
/** Version 2 (section 2.2): bytes that hardly any protocol begins with. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** Looks at all bytes that have come so far. */
export function readHeader(bytes: Buffer): Reading {
  if (begins(bytes, LINE)) return bytes.length < LINE.length ? unfinished(bytes) : readLine(bytes)
  if (begins(bytes, SIGNATURE)) return bytes.length < SIGNATURE.length ? unfinished(bytes) : readBinary(bytes)
  return { kind: 'none' }
}

const unfinished = ({ length }: Buffer): Reading => ({ kind: 'unfinished', needed: length + 1 })

/** Whether bytes begin as a header does, as far as they go. */
function begins(bytes: Buffer, mark: Buffer): boolean {
  const length = Math.min(bytes.length, mark.length)
  return bytes.compare(mark, 0, length, 0, length) === 0
}
