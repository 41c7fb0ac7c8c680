import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { needTool } from '../../support/tools.ts'

/** A redis-server on a Unix socket in a folder of its own, which keeps nothing. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly process: ChildProcess
  /** Ends it at once. */
  kill(): Promise<void>
  /** Starts it anew, empty. */
  restart(): Promise<void>
}

/** Starts one, for the body of a test. */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const redis = await openRedis(...options)
  onTestFinished(() => redis[Symbol.asyncDispose]())
  return redis
}

/** Starts one that goes when it is disposed of. */
export async function openRedis(...options: string[]): Promise<RedisServer> {
  const tool = needTool('redis-server', 'redis-server')
  const dir = await mkdtemp(join(tmpdir(), 'rawhttp-redis-'))
  const socket = join(dir, 'redis.sock')
  let child = await spawned(tool, dir, socket, options)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  return {
    url: `unix://${socket}`,
    get process() {
      return child
    },
    kill,
    restart: async () => {
      child = await spawned(tool, dir, socket, options)
    },
    [Symbol.asyncDispose]: async () => {
      await kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function spawned(tool: string, dir: string, socket: string, options: readonly string[]) {
  const quiet = ['--port', '0', '--save', '', '--appendonly', 'no', '--dir', dir]
  const child = spawn(tool, [...quiet, '--unixsocket', socket, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  for await (const chunk of child.stdout) if (String(chunk).includes('eady to accept connections')) break
  return child
}
