import { describe, expect, test } from 'vitest'
import { openStreams, Turns } from '../../../plugins/compression/load.ts'
import { turns } from '../../support/turns.ts'

describe('turns', () => {
  test('so many run at a time, the others in their order', async () => {
    const queue = new Turns(2)
    const begun: number[] = []
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<number>())
    const results = gates.map((gate, i) =>
      queue.take(() => {
        begun.push(i)
        return gate.promise
      }),
    )
    await turns()
    expect(begun).toEqual([0, 1])
    gates[1]!.resolve(1)
    await turns()
    expect(begun).toEqual([0, 1, 2])
    gates[0]!.resolve(0)
    gates[2]!.resolve(2)
    gates[3]!.resolve(3)
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3])
  })

  test('a failure ends a turn like a success', async () => {
    const queue = new Turns(1)
    const failed = queue.take(() => Promise.reject(new Error('no')))
    const next = queue.take(() => Promise.resolve('yes'))
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('yes')
    expect(await queue.take(() => Promise.resolve('again'))).toBe('again')
  })
})

test('a stream is counted once, however often it is said to have ended', () => {
  expect(openStreams.hasRoom(1, false)).toBe(true)
  const leave = openStreams.enter(false)
  expect(openStreams.hasRoom(1, false)).toBe(false)
  leave()
  leave()
  const again = openStreams.enter(true)
  expect(openStreams.hasRoom(1, false)).toBe(false)
  expect(openStreams.hasRoom(2, false)).toBe(true)
  expect(openStreams.hasRoom(2, true)).toBe(false)
  expect(openStreams.hasRoom(3, true)).toBe(true)
  again()
  expect(openStreams.hasRoom(1, true)).toBe(true)
})
