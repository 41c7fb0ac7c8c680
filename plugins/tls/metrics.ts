import { type MetricSample, type PluginServer, Slots } from 'rawhttp'
import type { HandshakeCounts } from './counts.ts'
import type { Pair } from './pair.ts'

/** What there is to tell. */
interface Told {
  readonly counts: HandshakeCounts
  readonly pairs: readonly Pair[]
}

/** Offers figures to whoever shows them; they are looked at only then. */
export function offerMetrics(server: PluginServer, told: Told): void {
  const metrics = server.get(Slots.metrics)
  metrics.add({
    name: 'rawhttp_tls_handshakes_total',
    help: 'Handshakes that were finished, by version and whether a session was resumed.',
    type: 'counter',
    read: () => told.counts.samples,
  })
  metrics.add({
    name: 'rawhttp_tls_handshake_failures_total',
    help: 'Handshakes that came to nothing, by reason.',
    type: 'counter',
    read: () => told.counts.failures,
  })
  metrics.add({
    name: 'rawhttp_tls_certificate_expiry_timestamp_seconds',
    help: 'When a certificate ends, in Unix time.',
    type: 'gauge',
    merge: 'min',
    read: () => told.pairs.map(expiryOf),
  })
}

// Two may have one name: a key of each kind. Their place in the options tells them apart.
const expiryOf = ({ names, leaf }: Pair, at: number): MetricSample => ({
  labels: { certificate: String(at + 1), name: names[0] ?? '' },
  value: leaf.validToDate.getTime() / 1_000,
})
