import { readFileSync } from 'node:fs'
import { ConfigError } from 'rawhttp'
import { parseHash, type StoredHash } from './hash.ts'

/**
 * Reads a password file: lines of `user:hash`, `#` before a comment.
 *
 * @param file Absolute.
 * @throws ConfigError that names the file and the line, never what stands in it.
 */
export function readPasswordFile(file: string): Map<string, StoredHash> {
  const users = new Map<string, StoredHash>()
  const lines = textOf(file).split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    try {
      addLine(users, line)
    } catch (error) {
      const problem = `${file}:${index + 1}: ${(error as Error).message}`
      throw new ConfigError({ path: 'file', problem }, { cause: error })
    }
  }
  if (users.size === 0) throw new ConfigError({ path: 'file', problem: `${file} has no user` })
  return users
}

function addLine(users: Map<string, StoredHash>, line: string): void {
  const colon = line.indexOf(':')
  if (colon < 1) throw new Error('expected user:hash, got a line without a user')
  const user = line.slice(0, colon).normalize('NFC')
  if (users.has(user)) throw new Error(`${JSON.stringify(user)} stands there twice`)
  users.set(user, parseHash(line.slice(colon + 1).trimEnd()))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const received = `${code === 'ENOENT' ? 'no such file' : (code ?? 'an error')}: ${file}`
    throw new ConfigError({ path: 'file', expected: 'a file that can be read', received }, { cause: error })
  }
}
