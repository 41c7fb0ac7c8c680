import { show } from './show.ts'
import type { Duration, Size } from './types.ts'

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
])

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

export const expectedSize = "a size such as 65536 or '64kb'"
export const expectedDuration = "a duration such as 10000 or '10s'"

/** Bytes of a written size, or null when it is none. */
export function readSize(value: unknown): number | null {
  return typeof value === 'number' ? whole(value) : withUnit(value, sizeUnits)
}

/** Milliseconds of a written duration, or null when it is none. */
export function readDuration(value: unknown): number | null {
  return typeof value === 'number' ? whole(Math.round(value)) : withUnit(value, durationUnits)
}

/**
 * Bytes of a size that a config or a plugin's options wrote: `parseSize('64kb')` is 65536.
 *
 * @throws TypeError when the value is no size.
 */
export function parseSize(value: Size): number {
  const bytes = readSize(value)
  if (bytes === null) throw new TypeError(`expected ${expectedSize}, got ${show(value)}`)
  return bytes
}

/**
 * Milliseconds of a duration that a config or a plugin's options wrote: `parseDuration('10s')` is 10000.
 *
 * @throws TypeError when the value is no duration.
 */
export function parseDuration(value: Duration): number {
  const milliseconds = readDuration(value)
  if (milliseconds === null) throw new TypeError(`expected ${expectedDuration}, got ${show(value)}`)
  return milliseconds
}

/** Whether a value is a size that {@link parseSize} reads: for the schemas of plugins. */
export const isSize = (value: unknown): value is Size => readSize(value) !== null

/** Whether a value is a duration that {@link parseDuration} reads: for the schemas of plugins. */
export const isDuration = (value: unknown): value is Duration => readDuration(value) !== null

function withUnit(value: unknown, units: ReadonlyMap<string, number>): number | null {
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(value) : null
  const unit = units.get(parts?.[2] ?? '')
  return unit === undefined ? null : whole(Math.round(Number(parts![1]) * unit))
}

function whole(value: number): number | null {
  return Number.isSafeInteger(value) && value >= 0 ? value : null
}
