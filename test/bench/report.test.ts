import { expect, test } from 'vitest'
import { picture } from './picture.ts'
import { report } from './report.ts'
import type { RowResult } from './result.ts'

const result: RowResult = {
  id: 'static',
  title: '1 kB static file',
  unit: 'µs CPU a request',
  entries: [
    {
      name: 'rawhttp',
      requests: 200,
      bytes: 1_311,
      peak: 139_000_000,
      samples: [
        { figure: 9, user: 3, perSecond: 90_000, p99: 0.9 },
        { figure: 10, user: 4, perSecond: 80_000, p99: 1.1 },
        { figure: 11, user: 5, perSecond: 70_000, p99: 1.3 },
      ],
    },
    { name: 'floor (node:net)', requests: 200, samples: [8, 8, 10].map(figure => ({ figure, user: 2 })) },
    { name: 'caddy <fly>', requests: 20, samples: [2_000, 2_000, 3_000].map(figure => ({ figure })) },
  ],
  missing: [{ name: 'nginx', why: 'This needs nginx.' }],
  targets: [
    { against: 'floor (node:net)', factor: 1.2 },
    { against: 'nginx', factor: 1.1 },
  ],
}

test('a row shows median, spread, ratio and target of each server', () => {
  const lines = report([result]).split('\n')
  expect(lines).toContain('1 kB static file, µs CPU a request')
  const cells = lines.map(line => line.trim().split(/ {2,}/))
  expect(cells).toContainEqual(['rawhttp', '10.00 (9.00..11.00)', '2.00', '80000', '1.10', '139', '1311'])
  expect(cells).toContainEqual([
    'floor (node:net)',
    '8.00 (8.00..10.00)',
    '1.13 (1.10..1.25)',
    '<= 1.20: met, within the spread',
    '0.00',
  ])
  expect(cells).toContainEqual(['caddy <fly>', '2000 (2000..3000)', '0.004 (0.004..0.005)'])
})

test('who is missing, and the target that is open by it, stand under the table', () => {
  const text = report([result])
  expect(text).toContain('nginx: left out. This needs nginx.')
  expect(text).toContain('nginx: target <= 1.10 not measured')
})

test('it is said who was asked less often', () => {
  expect(report([result])).toContain('caddy <fly>: only 20 requests a round')
  expect(report([result])).not.toContain('floor (node:net): only')
})

test('the picture has a bar for each server, as long as its figure', () => {
  const svg = picture([result], 'Medians & more')
  const bars = [...svg.matchAll(/<rect class="bar" x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, wide]) =>
    Number(wide),
  )
  expect(bars).toHaveLength(3)
  expect(bars[2]! / bars[0]!).toBeCloseTo(200, -1)
  expect(svg.match(/<g class="own">/g)).toHaveLength(1)
  expect(svg).toContain('caddy &#60;fly&#62;')
  expect(svg).toContain('Medians &#38; more')
})
