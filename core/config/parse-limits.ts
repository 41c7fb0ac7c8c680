import * as v from 'valibot'
import type { ExchangeLimits } from '../limits.ts'
import { configErrorOf } from './errors.ts'
import { problemsOf } from './issues.ts'
import { siteLimits } from './schema.ts'
import type { SiteLimitsConfig } from './types.ts'

/**
 * Limits of an exchange as a plugin's options wrote them, in bytes and milliseconds:
 * `parseLimits({ bodyBytes: '10mb' })` is `{ bodyBytes: 10485760 }`, ready for `Object.assign(request.limits, …)`.
 *
 * @param path Where the options have them, for the error. Default: `limits`.
 * @throws ConfigError that names the limit, for what is unknown or out of range.
 */
export function parseLimits(limits: SiteLimitsConfig, path = 'limits'): Partial<ExchangeLimits> {
  const result = v.safeParse(siteLimits, limits)
  if (!result.success) {
    throw configErrorOf(problemsOf(siteLimits, result.issues, { base: path, file: null, phrases: true }))
  }
  const given = Object.entries(result.output).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Partial<ExchangeLimits>
}
