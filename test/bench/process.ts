import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { cores, pinned } from './measure.ts'

const root = join(import.meta.dirname, '../..')
const readyLine = /listening on (https?:\/\/\S+)/
const startTimeout = 15_000

/** A server in a process of its own. It ends with `await using`, and at the latest when this process ends. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  readonly url: string
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/**
 * Starts a TypeScript file with Node on the server's core, or on others, and waits until it says on stderr where it listens.
 * What it writes to stdout, such as an access log, goes to /dev/null.
 */
export async function startServer(
  file: string,
  args: readonly string[],
  on: number | string = cores.server,
): Promise<ServerProcess> {
  const node = [process.execPath, '--conditions=rawhttp-source', join(root, file), ...args]
  const child = spawn(...pinned(on, node), { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  const url = await readyUrl(child).catch(async error => {
    await stop(child)
    throw error
  })
  return { pid: child.pid!, url, [Symbol.asyncDispose]: () => stop(child) }
}

function readyUrl(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`A server did not start: ${why}\n${said}`))
    const timer = setTimeout(fail, startTimeout, 'it did not say where it listens.')
    child.stderr?.setEncoding('utf8').on('data', text => {
      said += text
      const url = readyLine.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('error', error => fail(error.message))
    child.once('exit', code => fail(`it ended with code ${code}.`))
    child.once('close', () => clearTimeout(timer))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
