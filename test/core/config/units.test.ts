import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration, parseSize, readDuration, readSize } from '../../../core/config/units.ts'

const sizes = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const
const durations = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizeUnit = fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[]))
const durationUnit = fc.constantFrom(...(Object.keys(durations) as (keyof typeof durations)[]))

describe('sizes', () => {
  it('are a count times the unit', () => {
    const property = fc.property(fc.nat({ max: 100_000 }), sizeUnit, (count, unit) => {
      expect(parseSize(`${count}${unit}`)).toBe(count * sizes[unit])
    })
    fc.assert(property)
  })

  it('are numbers of bytes as they are', () => {
    fc.assert(fc.property(fc.maxSafeNat(), bytes => parseSize(bytes) === bytes))
  })

  it('with a fraction are rounded to whole bytes', () => {
    expect(parseSize('1.5kb')).toBe(1536)
    expect(parseSize('0.3kb')).toBe(307)
  })

  it.each([
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 60,
    '',
    '64',
    'kb',
    '64KB',
    '64 kb',
    '-1kb',
    '1e3kb',
  ])('are not %j', value => expect(readSize(value)).toBeNull())

  it('are never taken from text that is not digits and a unit', () => {
    const written = /^\d+(\.\d+)?(b|kb|mb|gb)$/
    const property = fc.property(fc.string(), text => written.test(text) || readSize(text) === null)
    fc.assert(property)
  })

  it('that are wrong say what was expected and what came', () => {
    const parse = () => parseSize('lots' as '1kb')
    expect(parse).toThrow(new TypeError("expected a size such as 65536 or '64kb', got 'lots'"))
  })
})

describe('durations', () => {
  it('are a count times the unit', () => {
    const property = fc.property(fc.nat({ max: 100_000 }), durationUnit, (count, unit) => {
      expect(parseDuration(`${count}${unit}`)).toBe(count * durations[unit])
    })
    fc.assert(property)
  })

  it.each(['constructor', '10sec', '1kb', -1, null, undefined, {}])('are not %j', value => {
    expect(readDuration(value)).toBeNull()
  })

  it('that are wrong say what was expected and what came', () => {
    const parse = () => parseDuration('soon' as '1s')
    expect(parse).toThrow(new TypeError("expected a duration such as 10000 or '10s', got 'soon'"))
  })
})
