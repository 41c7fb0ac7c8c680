import { readFile } from 'node:fs/promises'
import { ConfigError } from 'rawhttp'
import type { PemInput } from './options.ts'

/** Where PEM comes from: an option, and the file that it names unless it is the text itself. */
export interface PemSource {
  /** The option's path: `certificates[1].key`. */
  readonly option: string
  /** Absolute; null for PEM that stands in the config. */
  readonly file: string | null
  readonly text: string | null
}

/** The source of an option. `resolve` makes paths absolute. */
export function pemSource(
  option: string,
  input: PemInput,
  resolve: (path: string | URL) => string,
): PemSource {
  if (input instanceof Uint8Array) return { option, file: null, text: Buffer.from(input).toString('latin1') }
  if (typeof input === 'string' && input.includes('-----BEGIN ')) return { option, file: null, text: input }
  return { option, file: resolve(input), text: null }
}

/** Where a source is, for messages: its file, or that it stands in the config. */
export const placeOf = ({ file }: PemSource): string => file ?? 'the text in the config'

/**
 * The text of a source.
 *
 * @throws ConfigError that names the option and the file.
 */
export async function readPem(source: PemSource): Promise<string> {
  if (source.file === null) return source.text!
  try {
    return await readFile(source.file, 'latin1')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const received = code === 'ENOENT' ? 'no such file' : `one that cannot be read (${code})`
    throw wrong(source, 'a PEM file', received, error)
  }
}

/** The sentence for a source that is not what it has to be. It never shows what stands in it. */
export function wrong(source: PemSource, expected: string, received: string, cause?: unknown): ConfigError {
  const problem = { path: source.option, expected, received: `${received}: ${placeOf(source)}` }
  return new ConfigError(problem, { cause })
}

/** The blocks of a kind in a PEM text, each with its BEGIN and END. What stands between them is a comment. */
export function blocksOf(text: string, kind: RegExp): string[] {
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? []
  return blocks.filter(block => kind.test(block))
}

/** Certificates, also those with OpenSSL's trust settings. */
export const CERTIFICATE = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/
/** Private keys in any of their forms: PKCS #8, PKCS #1 and SEC 1, encrypted or not. */
export const PRIVATE_KEY = /^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/
