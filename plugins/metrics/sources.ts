import {
  type CacheStats,
  type Metric,
  type MetricSample,
  type PluginServer,
  type PluginSite,
  Slots,
} from 'rawhttp'
import { counter, type Family, gauge, one, type Sample } from './family.ts'

/** What the kernel counts. */
export function serverFamilies({ stats }: PluginServer): Family[] {
  const refused = Object.entries(stats.refused).map(([limit, value]) => ({ labels: { limit }, value }))
  return [
    gauge(
      'http_requests_in_flight',
      'Requests that have no end yet, this one included.',
      one(stats.requests),
    ),
    gauge('rawhttp_connections', 'Connections that are open.', one(stats.connections)),
    counter('rawhttp_connections_accepted_total', 'Connections that were taken in.', one(stats.accepted)),
    counter('rawhttp_connections_refused_total', 'Connections turned away, by limit.', refused),
    counter('rawhttp_received_bytes_total', 'Bytes from clients, below TLS.', one(stats.received)),
    counter('rawhttp_sent_bytes_total', 'Bytes to clients, below TLS.', one(stats.sent)),
    gauge(
      'rawhttp_generations',
      'Configs in use: the last one, and older ones with requests.',
      one(stats.generations),
    ),
  ]
}

/** What the caches of some sites count. */
export function cacheFamilies(sites: readonly PluginSite[]): Family[] {
  const all = sites.flatMap(site => {
    const stats = site.get(Slots.cache)?.stats
    return stats === undefined ? [] : [{ site: site.name, stats }]
  })
  const of = (name: keyof CacheStats): Sample[] =>
    all.map(({ site, stats }) => ({ labels: { site }, value: stats[name] }))
  if (all.length === 0) return []
  return [
    gauge('rawhttp_cache_entries', 'URLs that have something stored.', of('entries')),
    gauge('rawhttp_cache_bytes', 'Memory that counts against the bound of a cache.', of('bytes')),
    counter('rawhttp_cache_hits_total', 'Requests answered from the store.', of('hits')),
    counter(
      'rawhttp_cache_misses_total',
      'Requests that ran a handler though they might have hit.',
      of('misses'),
    ),
    counter('rawhttp_cache_stored_total', 'Answers that were stored.', of('stored')),
    counter('rawhttp_cache_evicted_total', 'URLs that had to make room.', of('evicted')),
  ]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/
/** More series than that are a label that grows with what clients send. */
const MAX_SAMPLES = 1_000

/**
 * Looks at what other plugins offer, before anything is served.
 *
 * @param taken Names that are in use already.
 * @throws Error for a name that Prometheus would not take, or that is there twice.
 */
export function checkMetrics(metrics: Iterable<Metric>, taken: ReadonlySet<string>): void {
  const seen = new Set(taken)
  for (const { name, type } of metrics) {
    if (!NAME.test(name)) throw new Error(`metric "${name}": expected a name such as myplugin_jobs_total`)
    if (name.endsWith('_total') !== (type === 'counter'))
      throw new Error(`metric "${name}": the names of counters, and only they, end in _total`)
    if (seen.has(name)) throw new Error(`metric "${name}" is there twice`)
    seen.add(name)
  }
}

/**
 * The figures of another plugin.
 *
 * @throws what its function throws; Error for a value or label that cannot be written.
 */
export function offeredFamily({ name, help, type, merge = 'sum', read }: Metric): Family {
  const given = read()
  const samples = typeof given === 'number' ? one(given) : given
  if (samples.length > MAX_SAMPLES)
    throw new Error(`it has ${samples.length} series; ${MAX_SAMPLES} are allowed`)
  for (const sample of samples) checkSample(sample as MetricSample)
  return { name, help, type, aggregator: merge, values: samples }
}

function checkSample({ labels, value }: MetricSample): void {
  if (!Number.isFinite(value)) throw new Error(`expected a finite number, got ${value}`)
  for (const [name, text] of Object.entries(labels)) {
    if (!LABEL.test(name)) throw new Error(`"${name}" is no name of a label`)
    if (typeof text !== 'string') throw new Error(`label ${name}: expected text, got ${typeof text}`)
  }
}
