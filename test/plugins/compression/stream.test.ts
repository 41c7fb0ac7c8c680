import { expect, onTestFinished, test } from 'vitest'
import { codecs } from '../../../plugins/compression/codecs.ts'
import { encoded } from '../../../plugins/compression/stream.ts'
import { turns } from '../../support/turns.ts'
import { decoded } from './decode.ts'

/** A source that gives one piece and then waits; it notes whether it was ended. */
function source(piece = 'a piece') {
  const second = Promise.withResolvers<IteratorResult<string>>()
  const made = {
    second,
    returns: 0,
    [Symbol.asyncIterator]: () => {
      const answers: Promise<IteratorResult<string>>[] = [
        Promise.resolve({ done: false, value: piece }),
        second.promise,
      ]
      return {
        next: () => answers.shift() ?? Promise.resolve({ done: true as const, value: undefined }),
        return: () => {
          made.returns++
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }
    },
  }
  return made
}

function encoding(from: AsyncIterable<string>) {
  const engine = codecs.gzip.stream(6, false)
  onTestFinished(() => engine.close())
  return encoded(from, engine, false)
}

test('a reader that returns ends the source, though it waits for something', async () => {
  const from = source()
  const reader = encoding(from)
  await reader.next()
  await reader.return()
  expect(from.returns).toBe(1)
  // Nobody waits for it any more: it must not end the process.
  from.second.reject(new Error('too late'))
  await turns()
})

test('a reader may return while the source is late, whatever becomes of the piece under way', async () => {
  const from = source()
  const iterator = from[Symbol.asyncIterator]()
  const first = iterator.next()
  const late = () => {
    for (const start = performance.now(); performance.now() - start < 12; );
    return from.second.promise
  }
  const answers = [() => first, late]
  const reader = encoding({ [Symbol.asyncIterator]: () => ({ next: () => answers.shift()!() }) })
  await reader.next()
  await reader.return()
  from.second.reject(new Error('too late'))
  await turns()
})

test('a source that has ended is not ended again', async () => {
  const from = source()
  from.second.resolve({ done: true, value: undefined })
  const made: Uint8Array[] = []
  for await (const piece of encoding(from)) made.push(piece)
  expect(decoded('gzip', Buffer.concat(made)).toString()).toBe('a piece')
  expect(from.returns).toBe(0)
})

test('an error of the source is thrown as it is', async () => {
  const from = source()
  const error = new Error('dry')
  const reader = encoding(from)
  await reader.next()
  from.second.reject(error)
  await expect(
    (async () => {
      for await (const _ of reader);
    })(),
  ).rejects.toBe(error)
})
