import { access, constants, stat } from 'node:fs/promises'
import { ConfigError } from 'rawhttp'
import { requestPathOf } from './compile.ts'
import { find, type Place } from './find.ts'

/**
 * Checks that files can be served from a folder, so that a slip in the config fails the start and not each request.
 *
 * @throws ConfigError that names the option and the folder.
 */
export async function checkRoot(root: string): Promise<void> {
  const problem = await problemOf(root)
  if (problem !== null)
    throw new ConfigError({
      path: 'root',
      expected: 'a folder that can be read',
      received: `${problem}: ${root}`,
    })
}

/**
 * Checks the same while the server runs: a disk in the network may be gone for a while.
 *
 * @throws Error that names the folder.
 */
export async function checkRootNow(root: string): Promise<void> {
  const problem = await problemOf(root)
  if (problem !== null) throw new Error(`${problem}: ${root}`)
}

/**
 * Checks that the page of an application is there.
 *
 * @throws ConfigError that names the option and the file.
 */
export async function checkFallback(place: Place, file: string): Promise<void> {
  const found = await find(place, requestPathOf(file))
  if (found?.kind !== 'file')
    throw new ConfigError({
      path: 'fallback',
      expected: 'a file below the root',
      received: `no such file: ${file}`,
    })
}

async function problemOf(root: string): Promise<string | null> {
  try {
    if (!(await stat(root)).isDirectory()) return 'not a folder'
    await access(root, constants.R_OK | constants.X_OK)
    return null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'no such folder' : `folder cannot be read (${code})`
  }
}
