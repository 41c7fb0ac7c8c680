/**
 * All series of one name, in the form that `@prometheus-io/client` calls metrics as JSON: what one process gives,
 * plain data that may go to another, and what the client merges and writes.
 */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  /** How families of this name from several processes become one. */
  readonly aggregator: 'sum' | 'first' | 'min' | 'max' | 'average' | 'omit'
  readonly values: readonly Sample[]
}

/** One line. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Where it is not the family's: `…_bucket`. */
  readonly metricName?: string | undefined
}

/** A count by labels. */
export function counter(name: string, help: string, values: readonly Sample[]): Family {
  return { name, help, type: 'counter', aggregator: 'sum', values }
}

/** What is so now, by labels; of several processes the sum. */
export function gauge(name: string, help: string, values: readonly Sample[]): Family {
  return { name, help, type: 'gauge', aggregator: 'sum', values }
}

/** The only sample of a family. */
export const one = (value: number): readonly Sample[] => [{ labels: {}, value }]
