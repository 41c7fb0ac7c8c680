import type { Engine } from './engine.ts'
import { Feed } from './feed.ts'

type Piece = Uint8Array | string

/**
 * A source as the compressor makes it, pulled only as fast as the result is taken. When the reader returns, the source
 * ends; an error of the source is thrown as it is.
 *
 * @param engine Whoever made it closes it.
 * @param isLive Whether each piece leaves at once. Else a piece waits for others, but never for long.
 */
export async function* encoded(
  source: AsyncIterable<Piece>,
  engine: Engine,
  isLive: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feed = new Feed(engine, isLive)
  const iterator = source[Symbol.asyncIterator]()
  let isWhole = false
  try {
    for (;;) {
      const next = pull(iterator)
      const { patience } = feed
      if (patience !== null && !(await comesWithin(next, patience))) yield* feed.flush()
      const { done, value } = await next
      if (done === true) break
      yield* feed.add(bytesOf(value))
    }
    isWhole = true
    yield* feed.end()
  } finally {
    // Not awaited: a source that waits for something would keep its reader waiting too.
    if (!isWhole) finish(iterator)
  }
}

// Nobody may be left to hear of its failure: the reader can return while it is under way.
function pull(iterator: AsyncIterator<Piece>): Promise<IteratorResult<Piece>> {
  const next = Promise.resolve(iterator.next())
  next.catch(ignore)
  return next
}

function finish(iterator: AsyncIterator<Piece>): void {
  Promise.resolve(iterator.return?.()).catch(ignore)
}

async function comesWithin(next: Promise<unknown>, milliseconds: number): Promise<boolean> {
  if (milliseconds <= 0) return false
  return await new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds, false)
    const came = () => {
      clearTimeout(timer)
      resolve(true)
    }
    next.then(came, came)
  })
}

function bytesOf(piece: Piece): Uint8Array {
  if (typeof piece === 'string') return Buffer.from(piece)
  if (piece instanceof Uint8Array) return piece
  throw new TypeError(`a piece of a body must be a Uint8Array or a string, got ${typeof piece}`)
}

const ignore = (): void => undefined
