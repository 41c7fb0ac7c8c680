import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Diagnostic } from 'rawhttp'
import { type Pair, readPair } from './pair.ts'
import { pemSource } from './pem.ts'

const DAY = 86_400_000
/** Browsers take no certificate for longer than 398 days. */
const VALID = 365 * DAY
/** It is made anew when it is valid for less than this. */
const RENEW = 30 * DAY

/** The names of a development certificate. 2 is a name, 7 an address (RFC 5280 section 4.2.1.6). */
const NAMES = [
  { type: 2 as const, value: 'localhost' },
  { type: 7 as const, ip: '127.0.0.1' },
  { type: 7 as const, ip: '::1' },
]

/**
 * The certificate for localhost that is used when the config names none: the kept one, else a new one, which is kept
 * for the next start if the state folder can be written.
 */
export async function developmentPair(report: (diagnostic: Diagnostic) => void): Promise<Pair> {
  const folder = stateFolder()
  const kept = await keptPair(folder)
  if (kept !== null) return kept
  const pem = await generated()
  const tell = (message: string, severity: Diagnostic['severity']) =>
    report({ code: 'TLS_DEVELOPMENT', message, severity })
  try {
    const file = await keep(folder, pem)
    tell(
      `made a certificate for localhost; to trust it, give ${file} to the browser or to curl --cacert`,
      'warning',
    )
  } catch (error) {
    const { message } = error as Error
    tell(`made a certificate for localhost, which the next start will not find again: ${message}`, 'warning')
  }
  return await pairOf(pem.cert, pem.key, 'the development certificate')
}

/** XDG Base Directory Specification: a path that is not absolute is to be ignored. */
function stateFolder(): string {
  const { XDG_STATE_HOME: home = '' } = process.env
  return join(isAbsolute(home) ? home : join(homedir(), '.local', 'state'), 'rawhttp')
}

/** One file for both: two starts at one time cannot leave a certificate beside the other's key. */
const pairFile = (folder: string): string => join(folder, 'localhost.pem')
/** The certificate alone, for those who are to trust it. */
const certificateFile = (folder: string): string => join(folder, 'localhost.crt')

async function keptPair(folder: string): Promise<Pair | null> {
  const file = pairFile(folder)
  try {
    const text = await readFile(file, 'latin1')
    const pair = await pairOf(text, text, file)
    return pair.leaf.validToDate.getTime() - Date.now() > RENEW ? pair : null
  } catch {
    // Missing, or not what we wrote: a new one takes its place.
    return null
  }
}

async function keep(folder: string, { cert, key }: Pem): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await put(pairFile(folder), key + cert)
  await put(certificateFile(folder), cert)
  return certificateFile(folder)
}

/** Whole or not at all, and never readable by others. */
async function put(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text, { mode: 0o600 })
  await rename(draft, file)
}

async function pairOf(cert: string, key: string, place: string): Promise<Pair> {
  const source = (text: string) => pemSource('cert', text, String)
  const pair = await readPair({
    cert: source(cert),
    key: source(key),
    passphrase: undefined,
    hosts: undefined,
  })
  return { ...pair, place }
}

interface Pem {
  readonly cert: string
  readonly key: string
}

async function generated(): Promise<Pem> {
  // It takes long to import, and most servers never need it.
  const { generate } = await import('selfsigned')
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // A clock that is a little slow must not find it invalid.
    notBeforeDate: new Date(Date.now() - DAY),
    notAfterDate: new Date(Date.now() - DAY + VALID),
    // The list takes the place of the library's own, so it has to be whole.
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: NAMES },
    ],
  })
  return { cert, key }
}
