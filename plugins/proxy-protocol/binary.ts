import { canonicalAddress, type Peer } from 'rawhttp'
import type { Ends, Reading } from './header.ts'

/** Signature, version and command, family and transport, length (section 2.2). */
const FIXED = 16
/** Behind it may stand anything (TLVs), such as the client's certificate; nobody needs more than this. */
const LONGEST = 16_384

const VERSION = 2
const LOCAL = 0
const PROXY = 1

const INET = 1
const INET6 = 2
const UNIX = 3
/** Stream and datagram: who is proxied by HTTP/3 came by UDP. 0 is "unspecified". */
const TRANSPORTS = 2

/** Bytes of one address by family; UNSPEC has none. */
const SIZES = [0, 4, 16, 108]

/** Reads a header of version 2: binary, as long as it says. What stands behind the addresses is skipped. */
export function readBinary(bytes: Buffer): Reading {
  if (bytes.length < FIXED) return { kind: 'unfinished', needed: FIXED }
  const version = bytes[12]! >> 4
  const command = bytes[12]! & 15
  const size = bytes.readUInt16BE(14)
  if (version !== VERSION) return malformed(`it says version ${version}`)
  if (command !== LOCAL && command !== PROXY) return malformed(`it has the unknown command ${command}`)
  if (size > LONGEST) return malformed(`it says ${size} bytes, more than ${LONGEST}`)
  const problem = command === PROXY ? problemWith(bytes[13]!, size) : null
  if (problem !== null) return malformed(problem)
  const length = FIXED + size
  if (bytes.length < length) return { kind: 'unfinished', needed: length }
  // LOCAL: the proxy speaks for itself, whatever addresses it names.
  return { kind: 'header', length, ends: command === LOCAL ? null : endsIn(bytes) }
}

const malformed = (problem: string): Reading => ({ kind: 'malformed', problem })

function problemWith(kind: number, size: number): string | null {
  const addressSize = SIZES[kind >> 4]
  if (addressSize === undefined || (kind & 15) > TRANSPORTS) return `it has the unknown family ${kind}`
  const ports = addressSize === 4 || addressSize === 16 ? 4 : 0
  return size < 2 * addressSize + ports ? 'it is too short for its addresses' : null
}

/** Who passes for a client. The path of a Unix socket on another machine tells nobody apart. */
function endsIn(bytes: Buffer): Ends | null {
  const family = bytes[13]! >> 4
  const isUnspecified = (bytes[13]! & 15) === 0
  if (isUnspecified || family === UNIX || (family !== INET && family !== INET6)) return null
  const size = SIZES[family]!
  const ports = FIXED + 2 * size
  const peerAt = (at: number, port: number): Peer => ({
    address: textOf(bytes.subarray(at, at + size)),
    port: bytes.readUInt16BE(port),
  })
  return { client: peerAt(FIXED, ports), local: peerAt(FIXED + size, ports + 2) }
}

function textOf(address: Buffer): string {
  if (address.length === SIZES[INET]) return address.join('.')
  return canonicalAddress(address.toString('hex').replace(/.{4}(?!$)/g, '$&:'))!
}
