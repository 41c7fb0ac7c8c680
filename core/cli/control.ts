import { unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { asError } from '../errors.ts'
import { folderProblem, lookAt } from './control-path.ts'
import type { Outcome } from './reloader.ts'

// One line of JSON asks, { "rawhttp": 1, "command": "reload" }, and one line answers:
// { "rawhttp": 1, "code": 0, "text": "…\n" }. Keys that somebody does not know are passed over.

/** The version of the protocol. */
const VERSION = 1
/** Bytes of a question. */
const MAX_QUESTION = 4_096
/** Bytes of an answer. */
const MAX_ANSWER = 1_048_576
/** Milliseconds for a question to come. */
const QUESTION_TIMEOUT = 5_000
/** Clients at a time: they are this user's own. */
const MAX_CLIENTS = 16

/** What a server can be asked for. */
export type Commands = Readonly<Record<string, () => Promise<Outcome>>>

/** A control socket that is open. */
export interface Control {
  readonly path: string
  /** Takes its file away too. */
  close(): void
}

/**
 * Opens a control socket that only this user may connect to. The file that a dead process has left is replaced.
 *
 * @throws Error with a sentence when the path cannot be had safely.
 */
export async function openControl(path: string, commands: Commands): Promise<Control> {
  if (process.platform === 'win32') throw new Error('there is none on Windows')
  const problem = folderProblem(path)
  if (problem !== null) throw new Error(problem)
  await removeStale(path)
  const server = createServer({ allowHalfOpen: true }, socket => answer(socket, commands))
  server.maxConnections = MAX_CLIENTS
  await listen(server, path)
  const close = () => void server.close()
  // Closing takes the file away, in whatever way the process ends that still runs code.
  process.once('exit', close)
  return {
    path,
    close() {
      process.off('exit', close)
      close()
    },
  }
}

/** Links are not followed: neither here nor by the system, which refuses to listen where anything stands. */
async function removeStale(path: string): Promise<void> {
  const before = lookAt(path)
  if (before === null) return
  if (!before.isSocket()) throw new Error(`${path} is no socket`)
  if (before.uid !== process.getuid?.()) throw new Error(`${path} belongs to somebody else`)
  if (await isAnswered(path)) throw new Error(`another server has ${path}`)
  // Whoever was faster has a new one there.
  if (lookAt(path)?.ino === before.ino) unlinkSync(path)
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  // The file is made within this call: there is no moment in which others may connect.
  const mask = process.umask(0o177)
  try {
    server.listen(path, resolve)
  } finally {
    process.umask(mask)
  }
  await promise
  // A client that goes away too early is no trouble for the server.
  server.off('error', reject).on('error', ignore)
  server.unref()
}

function answer(socket: Socket, commands: Commands): void {
  socket.on('error', ignore).unref()
  const timer = setTimeout(() => socket.destroy(), QUESTION_TIMEOUT)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  readLine(socket, MAX_QUESTION).then(
    async line => {
      clearTimeout(timer)
      const { code, text } = await run(line, commands)
      socket.end(`${JSON.stringify({ rawhttp: VERSION, code, text })}\n`)
    },
    () => socket.destroy(),
  )
}

async function run(line: string, commands: Commands): Promise<Outcome> {
  const { rawhttp, command } = parsed(line)
  if (rawhttp !== VERSION) return refusal(`this server speaks version ${VERSION} of the control protocol`)
  if (typeof command === 'string' && Object.hasOwn(commands, command)) return await commands[command]!()
  return refusal(`this server can be asked to ${Object.keys(commands).join(', ')}`)
}

const refusal = (sentence: string): Outcome => ({ code: 2, text: `rawhttp: ${sentence}\n` })

/**
 * Asks a server by its control socket.
 *
 * @param timeout Milliseconds to wait for the answer.
 * @throws Error with a sentence when there is no answer.
 */
export async function ask(path: string, command: string, timeout: number): Promise<Outcome> {
  const socket = connect(path)
  try {
    socket.write(`${JSON.stringify({ rawhttp: VERSION, command })}\n`)
    socket.setTimeout(timeout, () => socket.destroy(new Error(`no answer within ${timeout / 1_000} s`)))
    const { code, text } = parsed(await readLine(socket, MAX_ANSWER))
    if (Number.isInteger(code) && typeof text === 'string') return { code: code as number, text }
  } catch (cause) {
    throw new Error(`${path}: ${whyNot(asError(cause))}`, { cause })
  } finally {
    socket.destroy()
  }
  throw new Error(`${path}: what answers there is no server of rawhttp`)
}

function whyNot(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no server has this control socket: is one running?'
  if (error.code === 'ECONNREFUSED') return 'the server that had this control socket is gone'
  if (error.code === 'EACCES') return 'this user may not control the server'
  return error.message
}

/** The first line that comes. Rejects when it gets too long, or the stream ends before. */
function readLine(socket: Socket, most: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end !== -1) resolve(text.slice(0, end))
      else if (text.length > most) reject(new Error('the line is too long'))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection ended before an answer')))
  })
}

/** An object of JSON, or an empty one. */
function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const ignore = (): void => undefined
