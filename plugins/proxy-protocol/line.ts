import { isIPv4, isIPv6 } from 'node:net'
import { canonicalAddress, type Peer } from 'rawhttp'
import type { Reading } from './header.ts'

/** Section 2.1: the longest line there can be, with its end. */
const LONGEST = 107
const LF = 0x0a
const CR = 0x0d

const ENDS = /^PROXY TCP([46]) (\S+) (\S+) (\d+) (\d+)$/
const UNKNOWN = /^PROXY UNKNOWN(?: |$)/
const PORT = /^(?:0|[1-9]\d{0,4})$/

/** Reads a header of version 1: one line of text. */
export function readLine(bytes: Buffer): Reading {
  const end = bytes.subarray(0, LONGEST).indexOf(LF)
  if (end === -1) {
    if (bytes.length < LONGEST) return { kind: 'unfinished', needed: bytes.length + 1 }
    return { kind: 'malformed', problem: `its line does not end within ${LONGEST} bytes` }
  }
  if (bytes[end - 1] !== CR) return { kind: 'malformed', problem: 'its line does not end in CRLF' }
  const line = bytes.toString('latin1', 0, end - 1)
  // Whatever stands behind the word has to be ignored.
  if (UNKNOWN.test(line)) return { kind: 'header', length: end + 1, ends: null }
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = ENDS.exec(line) ?? []
  const isFamily = family === '4' ? isIPv4 : isIPv6
  const client = isFamily(from) ? peerOf(from, fromPort) : null
  const local = isFamily(to) ? peerOf(to, toPort) : null
  if (client === null || local === null)
    return { kind: 'malformed', problem: 'its line is not as version 1 has it' }
  return { kind: 'header', length: end + 1, ends: { client, local } }
}

function peerOf(text: string, port: string): Peer | null {
  const address = canonicalAddress(text)
  const isPort = PORT.test(port) && Number(port) <= 65_535
  return address !== null && isPort ? { address, port: Number(port) } : null
}
