import { HttpError } from '../errors.ts'
import type { InjectOptions } from '../inject.ts'
import { nextTurn } from '../next-turn.ts'
import { definePlugin, type PluginItem } from '../plugin.ts'
import type { HttpRequest } from '../request.ts'
import { HttpResponse } from '../response.ts'
import { Handle } from '../stages.ts'

/** Where the kit's own handlers are. */
export const KIT = '/contract-kit'

const TEXT = 'The same words for everybody, again and again. '.repeat(40)
/** Bytes of a piece of {@link LargeBody}, and how many pieces it has. */
export const PIECE = 65_536
export const PIECES = 128

/** What stands behind the tried plugin and answers what nobody else does. */
export class KitAnswers {
  /** The bytes of the answer that is shared: nobody may change them. */
  readonly shared = Buffer.from(TEXT)
  /** Pieces of long bodies that were asked for, and sources that have come to their end. */
  readonly counts = { pulled: 0, begun: 0, ended: 0, received: 0, thrown: 0 }
  readonly plugin: PluginItem
  readonly #constant = HttpResponse.bytes(this.shared, {
    headers: { 'content-type': 'text/plain; charset=utf-8', etag: '"kit-1"', 'cache-control': 'no-cache' },
  })

  constructor() {
    this.plugin = definePlugin({
      name: 'contract-kit',
      site: ({ hooks }) => {
        hooks.handle.tapPromise({ name: 'contract-kit', stage: Handle.Fallback + 100 }, request =>
          this.#answer(request),
        )
      },
    })()
  }

  /** Whether the shared answer still has its bytes. */
  get isUntouched(): boolean {
    return this.shared.equals(Buffer.from(TEXT))
  }

  async #answer(request: HttpRequest): Promise<HttpResponse | undefined> {
    const { path } = request
    if (!path.startsWith(`${KIT}/`) && path !== '/') return undefined
    switch (path.slice(KIT.length + 1)) {
      case 'stream':
        return HttpResponse.stream(this.#pieces(4, 1_000), { headers: { 'content-type': 'text/plain' } })
      case 'large':
        return HttpResponse.stream(this.#pieces(PIECES, PIECE), { headers: { 'content-type': 'text/plain' } })
      case 'broken':
        return HttpResponse.stream(this.#pieces(4, 1_000, true), {
          headers: { 'content-type': 'text/plain' },
        })
      case 'echo':
        return HttpResponse.text(await request.body.text())
      case 'upload':
        return HttpResponse.text(`${await this.#swallow(request)}`)
      case 'wait':
        return await this.#wait(request)
      case 'throw':
        this.counts.thrown++
        throw new Error('the kit throws this')
      case 'refuse':
        throw new HttpError(409, 'The kit refuses this.')
      default:
        return this.#constant
    }
  }

  async *#pieces(count: number, size: number, breaks = false): AsyncGenerator<Uint8Array> {
    this.counts.begun++
    try {
      for (let piece = 0; piece < count; piece++) {
        await nextTurn()
        if (breaks && piece === count - 1) throw new Error('the kit breaks this body off')
        this.counts.pulled++
        yield noise(size, piece)
      }
    } finally {
      this.counts.ended++
    }
  }

  async #swallow({ body }: HttpRequest): Promise<number> {
    let length = 0
    for await (const piece of body.stream()) {
      length += piece.length
      this.counts.received += piece.length
    }
    return length
  }

  #wait({ signal }: HttpRequest): Promise<never> {
    this.counts.begun++
    return new Promise((_resolve, reject) => {
      const leave = () => {
        this.counts.ended++
        reject(signal.reason)
      }
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
    })
  }
}

/** Bytes that no compressor makes shorter, the same ones for the same piece. */
function noise(size: number, piece: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4))
  let state = piece + 1
  for (let at = 0; at < words.length; at++) {
    // Xorshift.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  return new Uint8Array(words.buffer, 0, size)
}

/** What every plugin is tried with, beside the requests of its own. */
export const kitRequests: readonly InjectOptions[] = [
  { url: '/' },
  { url: `${KIT}/shared?a=1&b=%20` },
  { url: `${KIT}/stream` },
  {
    url: `${KIT}/echo`,
    method: 'POST',
    body: 'words of a client',
    headers: { 'content-type': 'text/plain' },
  },
  { url: `${KIT}/refuse` },
  { url: '/contract-nothing-here' },
]
