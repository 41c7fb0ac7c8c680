import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/**
 * Removes the file of a Unix socket that nobody listens on any more: what a process that was killed leaves behind, and
 * what would keep the next one from starting.
 *
 * @returns Whether it has removed one: not what is no socket, nor one that somebody answers or guards.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null)
  if (found?.isSocket() !== true || (await connecting(path)) !== 'ECONNREFUSED') return false
  // Who else starts at this moment may have put a new one there.
  const now = await lstat(path).catch(() => null)
  if (now?.ino !== found.ino) return false
  await unlink(path)
  return true
}

/** The system's code for what hinders a connection; null when there is one. */
function connecting(path: string): Promise<string | null> {
  return new Promise(resolve => {
    const socket = connect({ path })
    const end = (code: string | null) => {
      socket.destroy()
      resolve(code)
    }
    socket.once('connect', () => end(null))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code ?? ''))
  })
}
