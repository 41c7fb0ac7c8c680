import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let gc: (() => void) | null = null

/** Has V8 collect all that nobody holds, however the process was started. */
export function collect(): void {
  gc ??= exposed()
  gc()
}

function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
