import { serialize } from 'node:v8'
import { Slots } from 'rawhttp'
import { metrics } from 'rawhttp/plugins/metrics'
import { expect, onTestFinished, test } from 'vitest'
import { resolveConfig } from '../../../core/config/resolve.ts'
import { alone, type PeerLink } from '../../../core/seat.ts'
import { buildServer } from '../../../core/server.ts'
import { onServer } from '../../support/in-memory.ts'

test('what other plugins offer is read at once when another worker asks: they may have stopped a turn later', async () => {
  let reads = 0
  const offering = onServer('offering', server =>
    server.get(Slots.metrics).add({ name: 'test_reads', help: 'Reads.', type: 'gauge', read: () => ++reads }),
  )
  const heard: Parameters<PeerLink['hear']>[1][] = []
  const link: PeerLink = {
    ...alone.link,
    hear(_topic, listener) {
      heard.push(listener)
      return () => undefined
    },
  }
  const config = await resolveConfig({ plugins: [offering, metrics()] }, { file: null, dir: '/' })
  const server = await buildServer(config, { seat: { ...alone, link } })
  onTestFinished(() => server.stop({ deadline: 0 }))
  await server.inject('/')
  expect(heard).toHaveLength(1)
  const answer = heard[0]!(serialize(undefined))
  expect(reads).toBe(1)
  expect(await answer).not.toBeNull()
})
