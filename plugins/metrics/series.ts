import type { Outcome } from 'rawhttp'
import type { Sample } from './family.ts'

/** The labels of a series. Each has few values, whatever clients send. */
export type SeriesLabels = {
  readonly site: string
  readonly method: string
  readonly route: string
  readonly status_class: string
}

/**
 * What was counted for one site, method, route and class of status. Plain numbers: the client's own counters look a
 * child up by its labels at every step, which costs a microsecond a request; here a request is a few additions.
 */
export class Series {
  readonly labels: SeriesLabels
  requests = 0
  /** Bytes written, heads included. */
  sent = 0
  /** Bytes of request bodies. */
  received = 0
  /** How many took how long: one number for each bound, and one for what is above all. */
  readonly #counts: number[]
  readonly #bounds: readonly number[]
  #seconds = 0

  /** @param bounds Seconds, ascending. */
  constructor(labels: SeriesLabels, bounds: readonly number[]) {
    this.labels = labels
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  add({ result, bytes, milliseconds }: Outcome, received: number): void {
    this.requests++
    this.sent += bytes
    this.received += received
    // How long a WebSocket lives says nothing of how fast the server answers.
    if (result === 'upgraded') return
    const seconds = milliseconds / 1_000
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && seconds > bounds[at]!) at++
    this.#counts[at]!++
    this.#seconds += seconds
  }

  /** The lines of a histogram: cumulative buckets, sum and count. */
  durations(name: string): Sample[] {
    let count = 0
    const buckets = this.#counts.map((own, at) => {
      count += own
      const le = boundText(this.#bounds[at])
      return { labels: { ...this.labels, le }, value: count, metricName: `${name}_bucket` }
    })
    return [
      ...buckets,
      { labels: { ...this.labels }, value: this.#seconds, metricName: `${name}_sum` },
      { labels: { ...this.labels }, value: count, metricName: `${name}_count` },
    ]
  }
}

/** As OpenMetrics wants it, in both formats: `1.0`, for a series has one name only. */
function boundText(bound: number | undefined): string {
  if (bound === undefined) return '+Inf'
  return Number.isInteger(bound) ? `${bound}.0` : String(bound)
}
