import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findTools } from '../../support/tools.ts'

const executeFile = promisify(execFile)
const readyLine = /^rawhttp listening on (http:\/\/127\.0\.0\.1:\d+)$/m

/** As in a user's shell: this Node first on the PATH, and nothing of the npm and the vitest around this test. */
const { PATH = '', ...others } = process.env
const foreign =
  /^(npm_(package|lifecycle)_|npm_config_local_prefix$|VITEST|NODE_ENV$|NODE_OPTIONS$|PORT$|HOST$|RAWHTTP_)/
const environment = {
  ...Object.fromEntries(Object.entries(others).filter(([name]) => !foreign.test(name))),
  PATH: dirname(process.execPath) + delimiter + PATH,
}

interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** @throws Error with `code`, `stdout` and `stderr` when the command fails; its message holds what it printed. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Output> {
  return executeFile(command, args, { cwd, env: environment }).catch(error => {
    error.message += `\n${error.stdout}`
    throw error
  })
}

/** A Node on the PATH whose major version is lower than `major`. */
export async function olderNode(major: number): Promise<string | undefined> {
  for (const node of findTools('node')) {
    const { stdout } = await executeFile(node, ['--version'])
    if (Number(/\d+/.exec(stdout)?.[0]) < major) return node
  }
  return undefined
}

/** Gives a project another package.json until the end of the block. */
export async function packageJson(project: string, content: object): Promise<AsyncDisposable> {
  const file = join(project, 'package.json')
  const before = await readFile(file)
  await writeFile(file, JSON.stringify(content))
  return { [Symbol.asyncDispose]: () => writeFile(file, before) }
}

interface Server extends AsyncDisposable {
  readonly url: string
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Output & { readonly code: number | null }>
}

/** Runs `command start --port 0` until it says that it listens. */
export async function serve(command: string, cwd: string, before: readonly string[] = []): Promise<Server> {
  const child = spawn(command, [...before, 'start', '--port', '0'], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => (output.stdout += text))
  const closed = once(child, 'close') as Promise<[number | null]>
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', text => {
      output.stderr += text
      const ready = readyLine.exec(output.stderr)?.[1]
      if (ready !== undefined) resolve(ready)
    })
    closed.then(([code]) => reject(new Error(`It ended with code ${code}.\n${output.stderr}`)), reject)
  })
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal)
    const [code] = await closed
    return { ...output, code }
  }
  return { url, stop: () => end('SIGTERM'), [Symbol.asyncDispose]: async () => void (await end('SIGKILL')) }
}
