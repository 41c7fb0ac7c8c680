import { definePlugin, Handle, type HttpRequest, HttpResponse, type Plugins } from 'rawhttp'
import { MB, steady } from './memory.ts'

type Route = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

/** A dynamic answer of the size that makes a queue of them felt. */
export const FRESH_BYTES = 100_000
/** More than a kernel takes for one connection, all of them in the same memory. */
const shared = Buffer.alloc(8 * MB, 'x')
const PIECE_BYTES = 65_536
/** After so many bytes the slow reader rests. */
const REST_BYTES = 64 * MB

const routes: Readonly<Record<string, Route>> = {
  '/': () => HttpResponse.text('ok\n'),
  '/shared': () => HttpResponse.bytes(shared),
  '/fresh': () => HttpResponse.bytes(Buffer.alloc(FRESH_BYTES, 'x')),
  '/unread': () => HttpResponse.text('not read\n'),
  '/read': async request => HttpResponse.text(`${(await request.body.bytes()).length}\n`),
  '/trailers': async request => {
    const text = await request.body.text()
    return HttpResponse.text(`${text} ${request.trailers.get('x-sum')}\n`)
  },
  '/hold': async request => {
    await aborted(request.signal)
    return HttpResponse.text('too late\n')
  },
  '/stream': request => HttpResponse.stream(piecesOf(Number(request.query.get('bytes')))),
  '/fast-reader': async request => HttpResponse.json(await read(request, Number.POSITIVE_INFINITY)),
  '/slow-reader': async request => HttpResponse.json(await read(request, REST_BYTES)),
}

/** What the servers of the scenarios answer; counts how often each path was entered. */
export class Routes {
  readonly #entered = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #begun = 0

  plugin(): Plugins[number] {
    return definePlugin({
      name: 'routes',
      site: ({ hooks }) =>
        hooks.handle.tapAsync({ name: 'routes', stage: Handle.Route }, (request, callback) => {
          const answer = this.#answer(request)
          if (answer instanceof Promise) answer.then(value => callback(null, value), callback)
          else callback(null, answer)
        }),
    })()
  }

  /** Handlers that have begun, of all paths. */
  get begun(): number {
    return this.#begun
  }

  entered(path: string): number {
    return this.#entered.get(path) ?? 0
  }

  /** When handlers of a path have begun that often. */
  async untilEntered(path: string, count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (this.entered(path) >= count) resolve()
    }
    this.#waiting.add(look)
    look()
    await promise
    this.#waiting.delete(look)
  }

  #answer(request: HttpRequest): ReturnType<Route> | undefined {
    const { path } = request
    this.#begun++
    this.#entered.set(path, this.entered(path) + 1)
    for (const look of this.#waiting) look()
    return routes[path]?.(request)
  }
}

/** Pieces that are made when they are asked for, each in memory of its own. */
async function* piecesOf(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) yield Buffer.alloc(Math.min(left, PIECE_BYTES), 'x')
}

/** Rests until nothing flows any more, again and again: what the client sends meanwhile must stay with it. */
async function read(request: HttpRequest, restEvery: number): Promise<{ bytes: number; rests: number }> {
  let bytes = 0
  let rests = 0
  for await (const piece of request.body.stream()) {
    bytes += piece.length
    if (bytes < (rests + 1) * restEvery) continue
    rests++
    await steady(process.pid)
  }
  return { bytes, rests }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
