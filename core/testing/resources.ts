import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { readdirSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ownFolder } from '../own-folder.ts'

/** What stays open until somebody closes it, by the name that Node gives it. */
const kinds: Readonly<Record<string, string>> = {
  Timeout: 'a timer',
  FSEVENTWRAP: 'a watcher of a file',
  STATWATCHER: 'a watcher of a file',
  TCPWRAP: 'a TCP socket',
  TCPSERVERWRAP: 'a TCP server',
  PIPEWRAP: 'a pipe',
  PIPESERVERWRAP: 'a server on a Unix socket',
  UDPWRAP: 'a UDP socket',
  PROCESSWRAP: 'a child process',
  SIGNALWRAP: 'a listener to a signal',
  WORKER: 'a worker',
}

/** Where Linux shows the open descriptors of a process, with what they lead to. */
const DESCRIPTORS = '/proc/self/fd'

interface Open {
  readonly kind: string
  /** Where it was opened: the innermost place that is neither Node's nor the kernel's. */
  readonly at: string
}

/**
 * What is open of what was opened since {@link track} began, by whom it was called: timers also when they are unref'd,
 * handles, descriptors of files, and listeners to the process.
 */
export class Resources {
  readonly #open = new Map<number, Open>()
  readonly #context = new AsyncLocalStorage<Resources>()
  readonly #listeners = processListeners()
  readonly #files = openFiles()

  /** Runs `work`; what it opens is known until it is closed. */
  async track(work: () => Promise<void>): Promise<void> {
    const hook = createHook({
      init: (id, type) => {
        if (!Object.hasOwn(kinds, type) || this.#context.getStore() !== this) return
        const at = caller()
        if (at !== null) this.#open.set(id, { kind: kinds[type]!, at })
      },
      destroy: id => void this.#open.delete(id),
    })
    hook.enable()
    try {
      await this.#context.run(this, work)
    } finally {
      hook.disable()
    }
  }

  /** One sentence for each thing that is open, and was not when this object was made. */
  open(): string[] {
    const handles = [...this.#open.values()].map(({ kind, at }) => `${kind}, opened ${at}`)
    const files = [...openFiles()]
      .filter(([file, count]) => count > (this.#files.get(file) ?? 0))
      .map(([file]) => `the file ${file}`)
    const listeners = [...processListeners()]
      .filter(([event, count]) => count > (this.#listeners.get(event) ?? 0))
      .map(([event]) => `a listener to "${event}" of the process`)
    return [...handles, ...files, ...listeners]
  }

  /** What is open more often than it was: a sentence each. */
  grownSince(before: readonly string[]): string[] {
    const left = countsOf(before)
    return this.open().filter(each => {
      const count = left.get(each) ?? 0
      left.set(each, count - 1)
      return count <= 0
    })
  }
}

/**
 * Null when only the kernel itself has a hand in it, and for the timer of an `AbortSignal.timeout()`: that ends by itself
 * or with its signal, which it does not hold.
 */
function caller(): string | null {
  const frames = stackFrames()
  if (frames.some(frame => frame.startsWith('at AbortSignal.timeout '))) return null
  const others = frames.find(frame => !isNodes(frame) && !isIn(core, frame))
  const isKernels = frames.some(frame => isIn(core, frame) && !isIn(kit, frame))
  return others ?? (isKernels ? null : 'at a place that Node does not tell')
}

function stackFrames(): string[] {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 50
  const { stack = '' } = new Error()
  Error.stackTraceLimit = stackTraceLimit
  const lines = stack.split('\n').slice(1)
  return lines.map(line => line.trim())
}

/** Whether a frame is in no file: `at async Promise.all (index 0)`. */
const isNodes = (frame: string): boolean => /node:/.test(frame) || !/:\d+:\d+\)?$/.test(frame)
const isIn = (places: readonly string[], frame: string): boolean =>
  places.some(place => frame.includes(place))

/** The core's files as stacks name them, and among them those of this kit, which may be one file. */
const core = [fileURLToPath(ownFolder), ownFolder]
const kit = core.map(folder => `${folder}testing`)

const openFiles = (): Map<string, number> => countsOf(linked())

function countsOf(list: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1)
  return counts
}

/** The files that descriptors lead to; none where the system does not tell. */
function linked(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync(DESCRIPTORS).flatMap(descriptor => {
    try {
      const file = readlinkSync(`${DESCRIPTORS}/${descriptor}`)
      return file.startsWith('/') && !/^\/(proc|dev)\//.test(file) ? [file] : []
    } catch {
      // That of the folder itself is closed by now.
      return []
    }
  })
}

function processListeners(): Map<string, number> {
  const events = process.eventNames() as 'exit'[]
  return new Map(events.map(event => [String(event), process.listenerCount(event)]))
}
