import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createServer, HttpResponse, type Plugins } from 'rawhttp'
import {
  type RateLimitOptions,
  type RedisOptions,
  rateLimit,
  rateLimitGuard,
} from 'rawhttp/plugins/rate-limit'
import { route, router } from 'rawhttp/plugins/router'
import { createClient } from 'redis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { startRedis } from './redis-server.ts'

const ok = answering(() => HttpResponse.text('ok'))
const SLOW = { window: '1h' } as const
/** Long enough for a machine that has much else to do. */
const PATIENT = '5s'

const counting = (redis: RedisOptions, options: Partial<RateLimitOptions> = {}): Plugins => [
  rateLimit({ limit: 3, ...SLOW, redis: { timeout: PATIENT, ...redis }, ...options }),
  ok,
]

async function statuses({ url }: TestServer, count: number): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push((await fetch(url)).status)
  return all
}

/** What is in a Redis: keys and values. */
async function contentOf(url: string): Promise<Map<string, string | null>> {
  const client = await createClient({ url })
    .on('error', () => undefined)
    .connect()
  const keys = await client.keys('*')
  const content = new Map<string, string | null>()
  for (const key of keys) content.set(key, await client.get(key))
  client.destroy()
  return content
}

describe('in Redis', () => {
  test('two servers share the count', async () => {
    const redis = await startRedis()
    await using one = await startServer({ plugins: counting({ url: redis.url }) })
    await using two = await startServer({ plugins: counting({ url: redis.url }) })
    expect([...(await statuses(one, 2)), ...(await statuses(two, 2))]).toEqual([200, 200, 200, 429])
    expect(await statuses(one, 1)).toEqual([429])
    expect([...one.reports, ...two.reports]).toEqual([])
  })

  test('a client is told the same as by the memory', async () => {
    const redis = await startRedis()
    const told = async (options: Partial<RateLimitOptions>) => {
      await using server = await startServer({
        plugins: [rateLimit({ limit: 3, ...SLOW, burst: 2, ...options }), ok],
      })
      const answers: (string | null)[][] = []
      for (let i = 0; i < 3; i++) {
        const { status, headers } = await fetch(server.url)
        const names = ['ratelimit-policy', 'ratelimit', 'retry-after']
        answers.push([String(status), ...names.map(name => headers.get(name))])
      }
      return answers
    }
    const byMemory = await told({})
    expect(byMemory.map(([status]) => status)).toEqual(['200', '200', '429'])
    expect(await told({ redis: { url: redis.url, timeout: PATIENT } })).toEqual(byMemory)
  })

  test('tokens come back by the clock of Redis', async () => {
    const redis = await startRedis()
    await using server = await startServer({
      plugins: counting({ url: redis.url }, { limit: 1, window: '1s' }),
    })
    expect(await statuses(server, 1)).toEqual([200])
    // Redis forgets a bucket when it is full: then the next one is let in, and not before.
    while ((await contentOf(redis.url)).size > 0) await new Promise(resolve => setTimeout(resolve, 20))
    expect(await statuses(server, 1)).toEqual([200])
  })

  test('keys have the prefix, the name of the limit, and digests of what a function gives', async () => {
    const redis = await startRedis()
    const url = redis.url
    const plugins = [
      rateLimit({ limit: 3, ...SLOW, redis: { url, timeout: PATIENT } }),
      rateLimit({
        limit: 3,
        ...SLOW,
        name: 'user',
        key: () => 'token-7',
        redis: { url, prefix: 'x', timeout: PATIENT },
      }),
      ok,
    ]
    await using server = await startServer({ plugins })
    await statuses(server, 1)
    const keys = [...(await contentOf(url)).keys()].sort()
    expect(keys).toEqual([
      'rawhttp:rate-limit:3-in-3600s:127.0.0.1',
      expect.stringMatching(/^x:user:[\w-]{43}$/),
    ])
  })

  test('a guard counts there, too', async () => {
    const redis = await startRedis()
    const plugins = (): Plugins => [
      router({
        'GET /': route(
          { guards: [rateLimitGuard({ limit: 2, ...SLOW, redis: { url: redis.url, timeout: PATIENT } })] },
          () => 'in',
        ),
      }),
    ]
    await using one = await startServer({ plugins: plugins() })
    await using two = await startServer({ plugins: plugins() })
    expect([...(await statuses(one, 1)), ...(await statuses(two, 2))]).toEqual([200, 200, 429])
    expect((await fetch(one.url)).headers.get('ratelimit')).toMatch(/^"2-in-3600s";r=0;t=\d+$/)
  })

  test('JSON can say it', async () => {
    const redis = await startRedis()
    const written = JSON.stringify({
      listen: [{ port: 0 }],
      plugins: [['rate-limit', { limit: 1, window: '1h', redis: { url: redis.url, timeout: PATIENT } }]],
    })
    const server = await createServer(JSON.parse(written))
    onTestFinished(() => server.stop({ deadline: 0 }))
    const [address] = await server.listen()
    expect((await fetch(address!.url)).status).toBe(404)
    expect((await fetch(address!.url)).status).toBe(429)
    expect((await contentOf(redis.url)).size).toBe(1)
  })
})

describe('when Redis goes', () => {
  test('requests are counted in memory, which is told once, until it is back, which is told too', async () => {
    const redis = await startRedis()
    await using server = await startServer({ plugins: counting({ url: redis.url }) })
    expect(await statuses(server, 3)).toEqual([200, 200, 200])
    await redis.kill()
    const down = await server.untilReported('RATE_LIMIT_STORE_DOWN')
    expect(down.message).toMatch(
      /^the store of the rate limit "3-in-3600s", unix:\/\/.*redis.sock, does not answer \(.+\); requests are counted in this process until it does$/,
    )
    expect(await statuses(server, 5)).toEqual([200, 200, 200, 429, 429])
    await redis.restart()
    await server.untilReported('RATE_LIMIT_STORE_UP')
    expect(await statuses(server, 4)).toEqual([200, 200, 200, 429])
    expect((await contentOf(redis.url)).size).toBe(1)
    expect(server.reports.map(({ code }) => code)).toEqual(['RATE_LIMIT_STORE_DOWN', 'RATE_LIMIT_STORE_UP'])
  })

  test.each([
    ['allow', [200, 200, 200, 200, 200]],
    ['refuse', [503, 503, 503, 503, 503]],
  ] as const)('onError: %s', async (onError, expected) => {
    const redis = await startRedis()
    await using server = await startServer({ plugins: counting({ url: redis.url, onError }) })
    expect(await statuses(server, 1)).toEqual([200])
    await redis.kill()
    await server.untilReported('RATE_LIMIT_STORE_DOWN')
    expect(await statuses(server, 5)).toEqual(expected)
    if (onError === 'refuse') expect((await fetch(server.url)).headers.get('retry-after')).toBe('1')
    expect(server.reports).toHaveLength(1)
  })

  test('no request hangs on one that takes what it is sent and never answers', async () => {
    const redis = await startRedis()
    await using server = await startServer({
      plugins: counting({ url: redis.url, timeout: '50ms' }, { limit: 20 }),
    })
    redis.process.kill('SIGSTOP')
    const all = await Promise.all(Array.from({ length: 30 }, async () => (await fetch(server.url)).status))
    expect(all.filter(status => status === 200)).toHaveLength(20)
    expect(all.filter(status => status === 429)).toHaveLength(10)
    const down = server.reports.filter(({ code }) => code === 'RATE_LIMIT_STORE_DOWN')
    expect(down).toHaveLength(1)
    expect(down[0]?.message).toContain('does not answer (nothing came within 50 ms)')
    redis.process.kill('SIGCONT')
  })

  test('one that does not answer is asked by one request a second', async () => {
    const redis = await startRedis()
    await using server = await startServer({
      plugins: counting({ url: redis.url, timeout: '500ms' }, { limit: 100 }),
    })
    const clock = vi.spyOn(performance, 'now')
    onTestFinished(() => clock.mockRestore())
    let now = performance.now()
    const ask = async (count: number) => {
      clock.mockReturnValue(now)
      return await Promise.all(Array.from({ length: count }, () => fetch(server.url)))
    }
    redis.process.kill('SIGSTOP')
    await ask(1)
    await ask(20)
    now += 1_001
    await ask(20)
    redis.process.kill('SIGCONT')
    now += 1_001
    // That is what the first request has sent, and one of the last twenty.
    const [answer] = await ask(1)
    expect(answer?.headers.get('ratelimit')).toContain(';r=97;')
    expect(server.reports.map(({ code }) => code)).toEqual(['RATE_LIMIT_STORE_DOWN', 'RATE_LIMIT_STORE_UP'])
  })

  test('a server starts without it, and counts there as soon as it is there', async () => {
    const redis = await startRedis()
    await redis.kill()
    await using server = await startServer({ plugins: counting({ url: redis.url }) })
    expect(server.reports.map(({ code }) => code)).toEqual(['RATE_LIMIT_STORE_DOWN'])
    expect(await statuses(server, 4)).toEqual([200, 200, 200, 429])
    await redis.restart()
    await server.untilReported('RATE_LIMIT_STORE_UP')
    expect(await statuses(server, 1)).toEqual([200])
  })

  test('a server that has never reached it stops at once', async () => {
    const redis = await startRedis()
    await redis.kill()
    const server = await startServer({ plugins: counting({ url: redis.url }) })
    await server.server.stop()
    expect(server.reports.map(({ code }) => code)).toEqual(['RATE_LIMIT_STORE_DOWN'])
  })

  test('a wrong password is told, and never shown', async () => {
    const redis = await startRedis('--requirepass', 'right')
    const url = redis.url.replace('unix://', 'unix://:secret@')
    await using server = await startServer({ plugins: counting({ url }) })
    const { message } = await server.untilReported('RATE_LIMIT_STORE_DOWN')
    expect(message).toContain('WRONGPASS')
    expect(message).not.toContain('secret')
    expect(await statuses(server, 4)).toEqual([200, 200, 200, 429])
  })
})

test('a reload goes on counting there, and leaves no connection behind', async () => {
  const redis = await startRedis()
  await using server = await startServer({ plugins: counting({ url: redis.url }) })
  expect(await statuses(server, 2)).toEqual([200, 200])
  for (let i = 0; i < 3; i++)
    await server.server.reload({ listen: [{ port: 0 }], plugins: counting({ url: redis.url }) })
  expect(await statuses(server, 2)).toEqual([200, 429])
  const client = await createClient({ url: redis.url })
    .on('error', () => undefined)
    .connect()
  // One is that which asks.
  const open = async () => (await client.clientList()).length
  while ((await open()) > 2) await new Promise(resolve => setTimeout(resolve, 10))
  client.destroy()
})

test('without its libraries the start fails, with what to install', async () => {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve: (name, context, next) => next(name === 'redis' ? 'is-not-installed' : name, context) })
    const { createServer } = await import('rawhttp')
    const { rateLimit } = await import('rawhttp/plugins/rate-limit')
    const server = await createServer({
      listen: [{ port: 0 }],
      plugins: [rateLimit({ limit: 1, window: '1s', redis: 'redis://127.0.0.1:1' })],
    })
    await server.listen().catch(error => console.log(error.message))
    await server.stop()
  `
  const args = ['--conditions=rawhttp-source', '--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 })
  expect(stdout).toBe(
    'config: plugins[0] (rate-limit): options.redis: counting in Redis needs two packages that are not installed; ' +
      'npm install rate-limiter-flexible redis\n',
  )
})
