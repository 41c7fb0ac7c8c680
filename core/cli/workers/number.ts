import type { PassedSocket } from '../../passed-sockets.ts'

const NUMBER_VARIABLE = 'RAWHTTP_WORKER_NUMBER'

/** How a process learns that it is a worker, which one, and which sockets of systemd are handed on to it. */
export function workerEnv(
  number: number,
  sockets: readonly PassedSocket[],
): Readonly<Record<string, string>> {
  const own = { [NUMBER_VARIABLE]: String(number) }
  if (sockets.length === 0) return own
  const names = sockets.map(({ name }) => name).join(':')
  return { ...own, LISTEN_FDS: String(sockets.length), LISTEN_FDNAMES: names }
}

/** Reads the number of this worker, and takes the variable away: no child of it is a worker. Null for none. */
export function takeWorkerNumber(env: Record<string, string | undefined>): number | null {
  const { [NUMBER_VARIABLE]: text } = env
  delete env[NUMBER_VARIABLE]
  // Without the line to a primary it is nobody's.
  if (text === undefined || process.send === undefined) return null
  // Sockets of systemd that the primary hands on are meant for this process.
  const { LISTEN_FDS } = env
  if (LISTEN_FDS !== undefined) Object.assign(env, { LISTEN_PID: String(process.pid) })
  return Number(text)
}
