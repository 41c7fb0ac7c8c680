import { stat } from 'node:fs/promises'
import { PassThrough, Readable } from 'node:stream'
import { FileSlice, type ResponseBody } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  checkedBody,
  destroyBody,
  LazyBody,
  lengthOf,
  pieces,
  readBody,
  standsFor,
} from '../../core/response-body.ts'
import { tempFile } from '../support/temp-file.ts'

async function* letters() {
  yield 'a'
  yield Buffer.from('b')
  yield new Uint8Array([99])
}

/** Bodies of every kind that say "abc". */
const kinds: [string, () => ResponseBody | Promise<ResponseBody>][] = [
  ['a string', () => 'abc'],
  ['a Buffer', () => Buffer.from('abc')],
  ['a Uint8Array that is a part of a larger one', () => new Uint8Array([0, 97, 98, 99, 0]).subarray(1, 4)],
  ['a generator', () => letters()],
  ['an iterable without a return', () => ({ [Symbol.asyncIterator]: () => ({ next: pulling(['abc']) }) })],
  ['a Readable', () => Readable.from(['a', 'bc'])],
  ['a stream of the web', () => new Blob(['abc']).stream() as never],
  ['lazy bytes', () => new LazyBody(() => Buffer.from('abc'))],
  ['a lazy promise', () => new LazyBody(async () => new Uint8Array([97, 98, 99]))],
  ['a lazy stream', () => new LazyBody(() => letters())],
  [
    'a file',
    async () => {
      const path = await tempFile('a.txt', 'xabcx')
      return new FileSlice(path, await stat(path), 1, 4)
    },
  ],
]

const pulling = (values: string[]) => async () => {
  const value = values.shift()
  return value === undefined ? { done: true as const, value } : { done: false as const, value }
}

describe.each(kinds)('%s', (_kind, make) => {
  test('can be a body', async () => {
    const body = await make()
    expect(checkedBody(body)).toBe(body)
  })

  test('is read whole', async () => {
    expect((await readBody(await make(), 0, null)).toString()).toBe('abc')
    expect((await readBody(await make(), 3, 3)).toString()).toBe('abc')
  })

  test('is refused over the limit', async () => {
    await expect(readBody(await make(), 2, null)).rejects.toThrow('the response body is larger than 2 bytes')
  })

  test('is read in pieces', async () => {
    const read: Buffer[] = []
    for await (const piece of pieces((await make())!)) read.push(bytesOf(piece))
    expect(Buffer.concat(read).toString()).toBe('abc')
  })

  test('may be destroyed before it is read', async () => {
    expect(destroyBody(await make())).toBeUndefined()
  })
})

test('no body has no bytes', async () => {
  expect(await readBody(null, 0, null)).toHaveLength(0)
  expect(lengthOf(null)).toBe(0)
})

test('a body that is not of the length that it declared is no whole', async () => {
  await expect(readBody(letters(), 0, 4)).rejects.toThrow('the body has 3 bytes, but declared a length of 4')
  await expect(readBody(letters(), 0, 2)).rejects.toThrow('the body has 3 bytes, but declared a length of 2')
})

test('the length is that of the bytes, and unknown of what is yet to be made', () => {
  expect(lengthOf('caf\xe9')).toBe(5)
  expect(lengthOf(new Uint8Array(3))).toBe(3)
  expect(lengthOf(new FileSlice('/a', { size: 10, mtimeMs: 0 }, 2, 5))).toBe(3)
  for (const body of [letters(), Readable.from([]), new LazyBody(() => letters())])
    expect(lengthOf(body)).toBeNull()
})

test.each([
  [undefined, 'undefined'],
  [5, '5'],
  [{}, 'an object'],
  [['a'], 'an array'],
  [new Map(), 'an object (Map)'],
  [Promise.resolve('a'), 'a promise'],
  [() => 'a', 'a function'],
])('what cannot be a body is refused with what came: %j', (value, named) => {
  expect(() => checkedBody(value as never)).toThrow(
    `a body must be null, a string, bytes, a file or an async iterable, got ${named}`,
  )
})

test('a piece that is neither bytes nor a string is refused', async () => {
  const body = (async function* () {
    yield { a: 1 } as never
  })()
  await expect(readBody(body, 0, null)).rejects.toThrow(
    'a piece of a body must be a Uint8Array or a string, got an object',
  )
})

test('a stream that fails before anybody reads it ends no process, and its reader is told', async () => {
  const stream = new PassThrough()
  checkedBody(stream)
  checkedBody(stream)
  expect(stream.listenerCount('error')).toBe(1)
  stream.destroy(new Error('gone'))
  await new Promise(resolve => stream.once('close', resolve))
  await expect(readBody(stream, 0, null)).rejects.toThrow('gone')
})

describe('a body that is not sent', () => {
  test('of Node is destroyed', () => {
    const stream = new PassThrough()
    destroyBody(stream)
    expect(stream.destroyed).toBe(true)
  })

  test('of the web is cancelled, unless somebody reads it', async () => {
    const cancelled: string[] = []
    const make = (name: string) => new ReadableStream({ cancel: () => void cancelled.push(name) })
    const locked = make('locked')
    locked.getReader()
    destroyBody(locked as never)
    destroyBody(make('free') as never)
    expect(cancelled).toEqual(['free'])
  })

  test('of a started generator is returned, and what that throws ends no process', async () => {
    let ended = 0
    const body = (async function* () {
      try {
        yield 'a'
        yield 'b'
      } finally {
        ended++
        // biome-ignore lint/correctness/noUnsafeFinally: what a careless source does.
        throw new Error('in finally')
      }
    })()
    await body.next()
    destroyBody(body)
    await expect.poll(() => ended).toBe(1)
  })

  test('that is lazy is not made', () => {
    destroyBody(
      new LazyBody(() => {
        throw new Error('made')
      }),
    )
  })
})

describe('a body in the place of another', () => {
  async function* wrapped(source: AsyncIterable<unknown>) {
    for await (const _ of source) yield 'x'
  }

  test('ends the other with itself, through any number of layers, and not before', () => {
    const source = new PassThrough()
    const first = wrapped(source)
    const second = new LazyBody(() => wrapped(first))
    standsFor(first, source)
    standsFor(second, first)
    expect(source.destroyed).toBe(false)
    destroyBody(second)
    expect(source.destroyed).toBe(true)
  })

  test('ends the other at once when it cannot read it', () => {
    for (const body of [null, 'text', Buffer.from('bytes')]) {
      const source = new PassThrough()
      standsFor(body, source)
      expect(source.destroyed).toBe(true)
    }
  })

  test('may be the same one, or stand for the one that stood for it', () => {
    const [a, b] = [new PassThrough(), new PassThrough()]
    standsFor(a, a)
    expect(a.destroyed).toBe(false)
    standsFor(b, a)
    standsFor(a, b)
    destroyBody(a)
    expect([a.destroyed, b.destroyed]).toEqual([true, true])
    const [same, behind] = [new PassThrough(), new PassThrough()]
    standsFor(same, behind)
    standsFor(same, same)
    destroyBody(same)
    expect(behind.destroyed).toBe(true)
  })
})
