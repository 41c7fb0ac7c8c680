import { expect, test } from 'vitest'
import { Watcher } from '../../../plugins/inspector/watcher.ts'
import type { Frame } from '../../../plugins/inspector/wire.ts'

const gauges = { connections: 1, requests: 2, answered: 3, cache: null }
const frameOf = (watcher: Watcher): Frame => JSON.parse(watcher.frame(gauges))

function add(watcher: Watcher, seen: unknown): void {
  const text = JSON.stringify(seen)
  watcher.add(text, text.length)
}

test('a frame has all that came since the last one, in its order', () => {
  const watcher = new Watcher()
  expect(watcher.hasNews).toBe(false)
  for (const id of [1, 2]) add(watcher, { id })
  watcher.leaveOut()
  expect(watcher.hasNews).toBe(true)
  expect(frameOf(watcher)).toEqual({ requests: [{ id: 1 }, { id: 2 }], leftOut: 1, gauges })
  expect(watcher.hasNews).toBe(false)
  expect(frameOf(watcher)).toEqual({ requests: [], leftOut: 0, gauges })
})

test('what waits for a slow page takes four megabytes at most; the rest is counted', () => {
  const watcher = new Watcher()
  const large = 'x'.repeat(10_000)
  for (let id = 0; id < 1_000; id++) add(watcher, { id, large })
  const text = watcher.frame(gauges)
  expect(text.length).toBeLessThan(4_194_304 + 1_000)
  const { requests, leftOut } = JSON.parse(text) as Frame
  expect(requests.length).toBeGreaterThan(400)
  expect(requests.length + leftOut).toBe(1_000)
  add(watcher, { id: 1_000, large })
  expect(frameOf(watcher).requests).toHaveLength(1)
})
