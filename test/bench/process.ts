import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { childrenOf, cores, pinned } from './measure.ts'

const root = join(import.meta.dirname, '../..')
const readyLine = /listening on (https?:\/\/\S+)/
const startTimeout = 15_000

/** A server in a process of its own. It ends with `await using`, and at the latest when this process ends. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  readonly url: string
}

/** How a process is started. */
export interface Launch {
  readonly command: readonly string[]
  /** Where it will listen, for one that does not say so on stderr. */
  readonly url?: string | undefined
  /** A file for what it writes to stdout, such as an access log. Default: /dev/null. */
  readonly stdout?: string | undefined
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Default: the server's core. */
  readonly on?: number | string | undefined
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) killTree(child.pid!)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Starts a TypeScript file with Node on the server's core, or on others, and waits until it says where it listens. */
export function startServer(
  file: string,
  args: readonly string[],
  on: number | string = cores.server,
): Promise<ServerProcess> {
  const command = [process.execPath, '--conditions=rawhttp-source', join(root, file), ...args]
  return startProcess({ command, on })
}

/**
 * Starts a server and waits until it listens.
 *
 * @throws Error with what it wrote to stderr, when it ends before or takes more than 15 s.
 */
export async function startProcess(launch: Launch): Promise<ServerProcess> {
  const { command, cwd = root, env = {}, on = cores.server } = launch
  const stdout = openSync(launch.stdout ?? '/dev/null', 'a')
  const child = spawn(...pinned(on, command), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'pipe'],
  })
  closeSync(stdout)
  running.add(child)
  const url = await readyUrl(child, launch.url).catch(async error => {
    await stop(child)
    throw error
  })
  return { pid: child.pid!, url, [Symbol.asyncDispose]: () => stop(child) }
}

function readyUrl(child: ChildProcess, known: string | undefined): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`${child.spawnargs.join(' ')} did not start: ${why}\n${said}`))
    const timer = setTimeout(fail, startTimeout, 'it does not listen.')
    child.stderr?.setEncoding('utf8').on('data', text => {
      // What it says for the rest of its life is read, and not kept.
      if (said.length < 10_000) said += text
      const url = readyLine.exec(said)?.[1]
      if (url !== undefined && known === undefined) resolve(url)
    })
    child.once('error', error => fail(error.message))
    child.once('exit', code => fail(`it ended with code ${code}.`))
    child.once('close', () => clearTimeout(timer))
    if (known !== undefined) void untilAccepted(child, known).then(resolve)
  })
}

async function untilAccepted(child: ChildProcess, url: string): Promise<string> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await accepts(Number(new URL(url).port))) return url
    await later(10)
  }
  // It has ended, and that is told elsewhere.
  return await new Promise<never>(() => undefined)
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** A port that nobody listens on, for servers that must be told one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  killTree(child.pid!)
  await ended
}

/** Workers too: nginx's outlive a master that is killed. */
function killTree(pid: number): void {
  if (!existsSync(`/proc/${pid}`)) return
  const children = childrenOf(pid)
  process.kill(pid, 'SIGKILL')
  children.forEach(killTree)
}
