import { readFile } from 'node:fs/promises'
import { ConfigError } from 'rawhttp'
import { LEAST_SECRET } from './signature.ts'

/**
 * The secrets of a file: one a line, the newest first; empty lines count for nothing.
 *
 * @throws ConfigError that names file and line, and shows nothing of what stands there.
 */
export async function readSecrets(file: string): Promise<readonly string[]> {
  const lines = (await textOf(file)).split(/\r?\n/).map(line => line.trim())
  for (const [index, line] of lines.entries()) {
    if (line === '' || Buffer.byteLength(line) >= LEAST_SECRET) continue
    throw problem(`${file}:${index + 1}: ${tooShort(Buffer.byteLength(line))}`)
  }
  const secrets = lines.filter(line => line !== '')
  if (secrets.length === 0) throw problem(`expected a secret a line in ${file}, got none`)
  return secrets
}

/** What is wrong with a secret of so many bytes. */
export const tooShort = (bytes: number): string =>
  `expected a secret of at least ${LEAST_SECRET} bytes, got one of ${bytes}; make one with "openssl rand -base64 32"`

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw problem(`cannot be read: ${(error as Error).message}`)
  }
}

const problem = (text: string): ConfigError => new ConfigError({ path: 'secretsFile', problem: text })
