import { describe, expect, test } from 'vitest'
import type { ConnectionInfo } from '../../core/listener.ts'
import { reportsOfCut, type Unfinished } from '../../core/unfinished.ts'

const info = (address: string, port: number): ConnectionInfo => ({
  id: 1,
  client: { address, port },
  local: { address: '', port: 0 },
  listener: '/run/x.sock',
  wantsTls: false,
  via: [],
  reset: () => undefined,
})

const half = (from: ConnectionInfo, since = 0): Unfinished => ({
  info: from,
  request: null,
  doing: 'its head had come in part',
  since,
})

describe('what was cut', () => {
  test.each([
    ['192.0.2.1', 4711, '192.0.2.1:4711'],
    ['2001:db8::1', 4711, '[2001:db8::1]:4711'],
    ['', 0, 'a client of /run/x.sock'],
    // The PROXY header of a layer in front may tell anything.
    ['evil\n', 1, 'evil\\x0a:1'],
  ])('tells its client: %s %i', (address, port, told) => {
    expect(reportsOfCut([half(info(address, port))], 0)).toEqual([
      {
        code: 'DRAIN_CUT',
        severity: 'warning',
        message: `the stop cut ${told} after 0.0 s: its head had come in part`,
      },
    ])
  })

  test('tells its age in seconds', () => {
    const [report] = reportsOfCut([half(info('192.0.2.1', 1), 1_000)], 13_349)
    expect(report!.message).toContain(' after 12.3 s: ')
  })
})
