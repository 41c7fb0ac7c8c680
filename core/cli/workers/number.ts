/** How a process learns that it is a worker, and which one. */
export const NUMBER_VARIABLE = 'RAWHTTP_WORKER_NUMBER'

/** Reads the number of this worker, and takes the variable away: no child of it is a worker. Null for none. */
export function takeWorkerNumber(env: Record<string, string | undefined>): number | null {
  const { [NUMBER_VARIABLE]: text } = env
  delete env[NUMBER_VARIABLE]
  // Without the line to a primary it is nobody's.
  return text === undefined || process.send === undefined ? null : Number(text)
}
