import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { ListeningAddress } from '../../server.ts'
import { removeStaleSocket } from '../../stale-socket.ts'
import type { PlaceAnswer, PlaceQuestion } from './protocol.ts'

/**
 * Where workers listen. The primary binds each port first, with nobody else: so 0 becomes one free port for all of them,
 * and a port that another program has is an error, though that program may share it too. The file that a dead process
 * has left at the path of a Unix socket goes once: later, what is there is the workers' own, which nobody may have
 * opened yet.
 */
export class Places {
  readonly #mayReuse: () => Promise<boolean>
  readonly #known = new Map<string, Promise<PlaceAnswer>>()

  /** @param mayReuse Whether each worker gets a socket of its own; else the primary has one for all. */
  constructor(mayReuse: () => Promise<boolean>) {
    this.#mayReuse = mayReuse
  }

  /** A place that was found once stays what it is, for workers to come, until {@link keepOnly}. */
  async find({ path, host, port, at }: PlaceQuestion): Promise<PlaceAnswer> {
    const key = path ?? `${host} ${port === 0 ? at : port}`
    const known = this.#known.get(key) ?? answerOf(path === null ? this.#bind(host, port) : clear(path))
    this.#known.set(key, known)
    const answer = await known
    if ('code' in answer) this.#known.delete(key)
    return answer
  }

  /**
   * Forgets all but where workers listen: others may have the rest by the time that it is wanted again.
   *
   * @param addresses Where they listen.
   */
  async keepOnly(addresses: readonly ListeningAddress[]): Promise<void> {
    for (const [key, found] of this.#known) {
      const answer = await found
      const end = 'port' in answer && answer.port > 0 ? `:${answer.port}` : `unix:${key}`
      if (!addresses.some(({ url }) => url.endsWith(end))) this.#known.delete(key)
    }
  }

  async #bind(host: string, port: number): Promise<PlaceAnswer> {
    return { port: await freePort({ host, port }), reusePort: await this.#mayReuse() }
  }
}

/** It never rejects: who asks is another process. */
async function answerOf(work: Promise<PlaceAnswer>): Promise<PlaceAnswer> {
  try {
    return await work
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { code, message }
  }
}

/** The socket itself is made by `node:cluster`, one for all workers. */
async function clear(path: string): Promise<PlaceAnswer> {
  await removeStaleSocket(path)
  return { port: 0, reusePort: false }
}

/** Whether the system spreads connections over the sockets of several processes that share a port. */
export async function canReusePort(): Promise<boolean> {
  try {
    await freePort({ host: '127.0.0.1', port: 0, reusePort: true })
    return true
  } catch {
    return false
  }
}

async function freePort(options: {
  readonly host: string
  readonly port: number
  readonly reusePort?: boolean
}): Promise<number> {
  const server = createServer().listen(options)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
