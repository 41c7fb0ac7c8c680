import type { PluginServer } from 'rawhttp'
import type { LogPlace } from './log-file.ts'
import { LogOutput } from './output.ts'

type Report = PluginServer['report']

interface Shared {
  readonly output: LogOutput
  readonly isFile: boolean
  /** One for each log that has it open; the last one is told of trouble. */
  readonly users: Report[]
}

/** What is open or about to end, by path; `''` is standard output. */
const byPath = new Map<string, Shared>()
/** The same, with those that are ending while others may have their place already. */
const all = new Set<Shared>()

/** A log's part in an output. */
export interface OpenOutput {
  /** Characters of a line that stays whole among those of other processes. */
  readonly longest: number
  /** Adds a line, newline included. */
  write(line: string): void
  /** The last one that closes an output waits until all is written. It never rejects. */
  close(): Promise<void>
}

/**
 * Opens the output of a path, or joins those who have it open: plugins, sites, generations and servers of this
 * process write to one place through one stream.
 *
 * @param report Where trouble goes.
 * @throws Error when the file cannot be opened.
 */
export async function openOutput(place: LogPlace, report: Report): Promise<OpenOutput> {
  const { path } = place
  const shared = byPath.get(path ?? '') ?? add(place)
  const { output, users } = shared
  // Two logs of one server have the same function: each gets one of its own to be known by.
  const user: Report = diagnostic => report(diagnostic)
  users.push(user)
  output.reportTo(user)
  const close = () => leave(path, shared, user)
  try {
    await output.open()
  } catch (error) {
    await close()
    throw error
  }
  const { longest } = output
  return { longest, write: line => output.write(line), close }
}

function add(place: LogPlace): Shared {
  const { path } = place
  const shared: Shared = { output: new LogOutput(place), isFile: path !== null, users: [] }
  byPath.set(path ?? '', shared)
  if (all.size === 0) process.on('exit', endAtExit)
  all.add(shared)
  listenForReopen()
  return shared
}

async function leave(path: string | null, shared: Shared, user: Report): Promise<void> {
  const { output, users } = shared
  users.splice(users.indexOf(user), 1)
  const next = users.at(-1)
  if (next !== undefined) return output.reportTo(next)
  // Whoever opens the path from now on gets another output: this one's file ends.
  byPath.delete(path ?? '')
  await output.end()
  all.delete(shared)
  if (all.size === 0) process.removeListener('exit', endAtExit)
  listenForReopen()
}

function endAtExit(): void {
  for (const { output } of all) output.endAtExit()
}

/** SIGUSR2, as after the rename of a log. */
function reopenAll(): void {
  for (const { output } of all) void output.reopen()
}

/**
 * The signal is ours only while a file is open: a process that listens to it no longer ends by it, and who has no
 * log file may use it otherwise. Windows does not have it.
 */
function listenForReopen(): void {
  process.removeListener('SIGUSR2', reopenAll)
  const hasFile = [...all].some(({ isFile }) => isFile)
  if (hasFile && process.platform !== 'win32') process.on('SIGUSR2', reopenAll)
}
