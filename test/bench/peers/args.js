import { parseArgs } from 'node:util'

/** What each server here is told: the folder of files, and a file for its log, if it is to have one. */
export const { root, log } = parseArgs({
  options: { root: { type: 'string', default: '.' }, log: { type: 'string' } },
}).values

/** Says on stderr where a server listens. */
export function ready(name, port) {
  process.stderr.write(`${name} listening on http://127.0.0.1:${port}\n`)
}
