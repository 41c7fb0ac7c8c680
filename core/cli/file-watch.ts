import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Milliseconds without an event after which it is looked: editors save in several steps. */
const QUIET = 100

/** A folder that is watched, and the names in it that matter. */
interface Watched {
  readonly watcher: FSWatcher
  readonly names: Set<string>
}

/**
 * Watches files by their folders: who watches a file itself hears nothing of the one that an editor puts in its place.
 */
export class FileWatch {
  readonly #onChange: () => void
  readonly #onTrouble: (error: Error) => void
  readonly #folders = new Map<string, Watched>()
  #timer: NodeJS.Timeout | null = null

  /**
   * @param onChange Something has happened to a file; that it is another one now is not said.
   * @param onTrouble A folder cannot be watched.
   */
  constructor(onChange: () => void, onTrouble: (error: Error) => void) {
    this.#onChange = onChange
    this.#onTrouble = onTrouble
  }

  /** Watches these files and no others. */
  watch(files: readonly string[]): void {
    const wanted = wantedNames(files)
    for (const [folder, { watcher }] of this.#folders) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#folders.delete(folder)
    }
    for (const [folder, names] of wanted) {
      const watcher = this.#folders.get(folder)?.watcher ?? this.#open(folder)
      if (watcher !== null) this.#folders.set(folder, { watcher, names })
    }
  }

  /** Looks when it has been quiet for a moment, as after an event. */
  soon(): void {
    if (this.#timer === null) this.#timer = setTimeout(() => this.#quiet(), QUIET)
    else this.#timer.refresh()
  }

  close(): void {
    this.watch([])
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #open(folder: string): FSWatcher | null {
    try {
      return watch(folder, (_event, name) => this.#happened(folder, name)).on('error', error => {
        this.#forget(folder)
        this.#onTrouble(error)
      })
    } catch (error) {
      this.#onTrouble(error as Error)
      return null
    }
  }

  #happened(folder: string, name: string | null): void {
    const watched = this.#folders.get(folder)
    // A folder that is taken away tells its own name; one that takes its place is another one to watch.
    if (name === basename(folder)) this.#forget(folder)
    else if (name !== null && watched?.names.has(name) === false) return
    this.soon()
  }

  #quiet(): void {
    this.#timer = null
    this.#onChange()
  }

  #forget(folder: string): void {
    this.#folders.get(folder)?.watcher.close()
    this.#folders.delete(folder)
  }
}

/** For each file its folder, or where that is missing, the nearest one that is there and the next step on the way. */
function wantedNames(files: readonly string[]): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>()
  for (const file of files) {
    let [folder, name] = [dirname(file), basename(file)]
    while (!isFolder(folder) && dirname(folder) !== folder)
      [folder, name] = [dirname(folder), basename(folder)]
    const names = wanted.get(folder)
    if (names === undefined) wanted.set(folder, new Set([name]))
    else names.add(name)
  }
  return wanted
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
