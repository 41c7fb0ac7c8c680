import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone with its block, and at the latest with this process. */
export interface TempFolder extends Disposable {
  readonly path: string
}

const folders = new Set<string>()
process.once('exit', () => folders.forEach(remove))

/** @param name What the folder is for: a part of its name. */
export function tempFolder(name: string): TempFolder {
  const path = mkdtempSync(join(tmpdir(), `rawhttp-${name}-`))
  folders.add(path)
  return { path, [Symbol.dispose]: () => remove(path) }
}

function remove(path: string): void {
  folders.delete(path)
  rmSync(path, { recursive: true, force: true })
}
