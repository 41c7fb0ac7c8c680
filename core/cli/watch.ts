import { fileLabel } from '../config/errors.ts'
import type { FreshModules } from '../config/fresh-modules.ts'
import { writeError } from '../stderr.ts'
import { FileWatch } from './file-watch.ts'
import type { Reloader } from './reloader.ts'

/** `--watch`: reloads when a file of the config is another one than at the last load. Gives what ends it. */
export function watchModules(modules: FreshModules, reloader: Reloader): () => void {
  let isAtWork = false
  const onTrouble = (error: Error) => writeError(`rawhttp: --watch: ${error.message}\n`)
  const files = new FileWatch(() => void look(), onTrouble)
  const look = async () => {
    if (isAtWork) return
    isAtWork = true
    const changed = modules.changed()
    if (changed.length > 0) await reloader.reload(`${changed.map(fileLabel).join(', ')} changed`)
    isAtWork = false
    files.watch(modules.paths)
    // What has changed while it was loaded.
    if (changed.length > 0 && modules.changed().length > 0) files.soon()
  }
  files.watch(modules.paths)
  // What has changed since it was loaded, and before it was watched.
  files.soon()
  return () => files.close()
}
