import type { Outcome } from 'rawhttp'

/** Which exchanges are logged. */
export interface SamplingSettings {
  /** The share of ordinary exchanges, 0 to 1. */
  readonly sample: number
  /** From so many milliseconds on an exchange is not ordinary. */
  readonly slow: number
}

/**
 * How likely an exchange of this kind is to be logged. What went wrong or took long always is: an error status, an
 * answer that did not reach its client, a refused message.
 */
export type Sampling = (status: number, outcome: Outcome) => number

/** Makes the rule of one log. */
export function samplingOf({ sample, slow }: SamplingSettings): Sampling {
  return (status, { result, milliseconds }) => {
    const isOrdinary = status < 400 && (result === 'sent' || result === 'upgraded') && milliseconds < slow
    return isOrdinary ? sample : 1
  }
}
