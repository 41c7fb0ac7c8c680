import { readFile, readlink } from 'node:fs/promises'
import { ConfigError } from './config/errors.ts'
import { quote } from './config/show.ts'

/** A listening socket that the process was started with, as systemd's socket units pass them (sd_listen_fds(3)). */
export interface PassedSocket {
  readonly fd: number
  /** `FileDescriptorName=` of the socket unit; several sockets may have one name. */
  readonly name: string
}

type Env = Record<string, string | undefined>

/** The first descriptor behind stdin, stdout and stderr. */
const firstDescriptor = 3
const variables = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const

let passed: readonly PassedSocket[] | null = null

/** The sockets that this process was started with, the same at every call. */
export function passedSockets(): readonly PassedSocket[] {
  passed ??= takePassedSockets(process.env, process.pid)
  return passed
}

/**
 * Reads the sockets that were passed, and takes the variables away: a child would believe that they are meant for it.
 * It gets no descriptor either, since Node marks all that it was started with as close-on-exec.
 *
 * @throws ConfigError for a LISTEN_FDS that is no count.
 */
export function takePassedSockets(env: Env, pid: number): readonly PassedSocket[] {
  const [forWhom, count = '', names = ''] = variables.map(name => env[name])
  for (const name of variables) delete env[name]
  // Variables of a parent that did not take them away are no socket of ours.
  if (forWhom !== String(pid)) return []
  if (!/^\d{1,4}$/.test(count)) {
    const path = 'environment variable LISTEN_FDS'
    throw new ConfigError({ path, expected: 'a count of sockets', received: quote(count) })
  }
  const named = names.split(':')
  return Array.from({ length: Number(count) }, (_, index) => ({
    fd: firstDescriptor + index,
    name: named[index] || 'unknown',
  }))
}

/**
 * The path that a Unix socket is bound to, or null where the system does not tell: Node only knows the paths that it
 * has bound itself.
 */
export async function pathOfDescriptor(fd: number): Promise<string | null> {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${fd}`)) ?? []
    const table = await readFile('/proc/self/net/unix', 'utf8')
    // Num RefCount Protocol Flags Type St Inode Path
    const row = table.split('\n').find(line => line.trim().split(/\s+/)[6] === inode)
    return /(?:\S+\s+){7}(.+)$/.exec(row?.trim() ?? '')?.[1] ?? null
  } catch {
    return null
  }
}
