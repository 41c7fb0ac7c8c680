import { type } from 'arktype'
import { ConfigError, readOptions } from 'rawhttp'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const schema = v.strictObject({
  name: v.string(),
  seconds: v.optional(v.pipe(v.number(), v.minValue(1, 'is too short')), 5),
})
const read = (input: unknown) => readOptions(schema, input, 'myGuard()')

describe('options of a function', () => {
  test('come out as the schema makes them', () => {
    expect(read({ name: 'a' })).toEqual({ name: 'a', seconds: 5 })
  })

  test.each<[string, unknown, string]>([
    ['of the wrong kind', { name: 7 }, 'config: myGuard().name: expected string, got 7'],
    ['that is missing', {}, 'config: myGuard().name: is required'],
    ['that is refused by a sentence', { name: 'a', seconds: 0 }, 'config: myGuard().seconds: is too short'],
    [
      'that nobody knows',
      { name: 'a', second: 1 },
      "config: myGuard().second: unknown option; did you mean 'seconds'?",
    ],
  ])('fail for one %s, as those of a plugin do', (_, input, message) => {
    expect(() => read(input)).toThrow(ConfigError)
    expect(() => read(input)).toThrow(message)
  })

  test('fail once with all mistakes', () => {
    const also: unknown = expect.arrayContaining([expect.objectContaining({ path: 'myGuard().seconds' })])
    expect(() => read({ name: 7, seconds: 0 })).toThrow(expect.objectContaining({ also }))
  })

  test.each([
    ['zod', z.object({ name: z.string() })],
    ['arktype', type({ name: 'string' })],
  ])('are read by %s, too', (_, other) => {
    expect(readOptions(other, { name: 'a' }, 'myGuard()')).toEqual({ name: 'a' })
    expect(() => readOptions(other, { name: 7 }, 'myGuard()')).toThrow('config: myGuard().name: ')
  })

  test('need a schema that answers at once', () => {
    const later = v.pipeAsync(
      v.string(),
      v.checkAsync(async () => true),
    )
    expect(() => readOptions(later, 'a', 'myGuard()')).toThrow('myGuard(): its schema must answer at once')
  })
})
