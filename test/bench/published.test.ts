import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { captionOf, type Method, publish, published } from './published.ts'
import type { RowResult } from './result.ts'
import { tempFolder } from './temp-folder.ts'

const method = (date: string, rounds = 9): Method => ({
  date,
  node: 'v26.0.0',
  system: 'linux 6.18',
  processor: 'One of its kind',
  rounds,
  requests: 200_000,
  warmUp: 60_000,
})

const row = (id: string, figure: number): RowResult => ({
  id,
  title: `The ${id} row`,
  unit: 'µs',
  missing: [],
  targets: [{ against: 'nginx', factor: 1.1 }],
  entries: [
    { name: 'rawhttp', samples: [{ figure }] },
    { name: 'nginx', samples: [{ figure: 10 }] },
  ],
})

test('a row that was measured again takes the place of the one before, and others stay as they are', () => {
  using folder = tempFolder('published')
  const order = ['static', 'json']
  publish(folder.path, published([row('json', 30), row('static', 20)], method('2026-01-01')), order)
  publish(folder.path, published([row('static', 5)], method('2026-02-02')), order)
  const { rows } = JSON.parse(readFileSync(join(folder.path, 'benchmark.json'), 'utf8'))
  const told = rows.map(({ id, measured, verdicts }: ReturnType<typeof published>[0]) => [
    id,
    measured.date,
    verdicts[0]!.isMet,
  ])
  expect(told).toEqual([
    ['static', '2026-02-02', true],
    ['json', '2026-01-01', false],
  ])
  const svg = readFileSync(join(folder.path, 'benchmark.svg'), 'utf8')
  expect(svg.indexOf('The static row')).toBeLessThan(svg.indexOf('The json row'))
  expect(svg).toContain('2026-01-01 to 2026-02-02')
})

test('a row that is no more is dropped', () => {
  using folder = tempFolder('published')
  publish(folder.path, published([row('old', 30), row('static', 20)], method('2026-01-01')), [
    'old',
    'static',
  ])
  publish(folder.path, published([row('static', 20)], method('2026-01-01')), ['static'])
  expect(readFileSync(join(folder.path, 'benchmark.svg'), 'utf8')).not.toContain('The old row')
})

test('the caption names the fewest rounds, and one day once', () => {
  const rows = [
    ...published([row('static', 1)], method('2026-01-01', 12)),
    ...published([row('json', 1)], method('2026-01-01')),
  ]
  expect(captionOf(rows)).toBe(
    'Medians of 9 rounds of 200000 requests. Node v26.0.0, linux 6.18, One of its kind; 2026-01-01.',
  )
})
