import type { Policy } from './policy.ts'

/**
 * The token bucket of buckets.ts inside Redis, as the script of rate-limiter-flexible: it is given the tokens to take
 * (ARGV[1]) and the bucket's size (ARGV[3]), and answers the tokens that are out and, in the place of the milliseconds
 * that the library would count, our microseconds. The clock is that of Redis, one for all servers.
 */
export function bucketScript({ interval }: Policy): string {
  return `
    local interval = ${interval}
    local burst = tonumber(ARGV[3])
    local depth = burst * interval
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local full = tonumber(redis.call('GET', KEYS[1]) or now)
    full = math.min(math.max(full, now), now + depth)
    local missing = full + interval * ARGV[1] - now
    if missing > depth then return { burst + 1, missing - depth } end
    redis.call('SET', KEYS[1], string.format('%.0f', now + missing), 'PX', math.ceil(missing / 1000))
    local taken = math.ceil(missing / interval)
    if taken == burst then return { taken, missing + interval - depth } end
    return { taken, missing }
  `
}
