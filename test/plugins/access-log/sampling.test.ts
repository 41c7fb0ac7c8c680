import { createServer, definePlugin, Handle, HttpRequest, HttpResponse, type Outcome } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { samplingOf } from '../../../plugins/access-log/sampling.ts'
import { logged } from './log.ts'
import { memorySink } from './memory-sink.ts'

/** Answers `/<status>`, and `/never` never. */
const site = definePlugin({
  name: 'site',
  site: site =>
    site.hooks.handle.tapPromise({ name: 'site', stage: Handle.Route }, async ({ path, signal }) => {
      if (path === '/never') await new Promise(resolve => signal.addEventListener('abort', resolve))
      return HttpResponse.empty(Number(path.slice(1)) || 204)
    }),
})

describe('sampling', () => {
  test('logs about its share of ordinary requests, and says so in each line', async () => {
    const log = await logged({ format: 'json', sample: 0.1, slow: '1h' }, site)
    for (let i = 0; i < 10_000; i++) await log.server.inject(i % 2 === 0 ? '/200' : '/304')
    const lines = (await log.lines()).map(line => JSON.parse(line))
    // Six standard deviations around a thousand: wrong once in a billion runs.
    expect(lines.length).toBeGreaterThan(820)
    expect(lines.length).toBeLessThan(1_180)
    expect(new Set(lines.map(({ sample }) => sample))).toEqual(new Set([0.1]))
  })

  test('never drops a 4xx or 5xx, a refused message or a client that left', async () => {
    const log = await logged({ format: 'json', sample: 0, slow: '1h' }, site)
    const errors = [400, 404, 429, 499, 500, 503, 599]
    for (const status of [200, ...errors, 301]) await log.server.inject(`/${status}`)
    await log.server.inject('/a%zz')
    const sink = memorySink()
    const fields = ['host', 'localhost']
    log.server.dispatch(new HttpRequest({ method: 'GET', target: '/never', fields }), sink)
    sink.onClose?.(new Error('left'))
    const lines = (await log.lines()).map(line => JSON.parse(line))
    expect(lines.map(({ status }) => status)).toEqual([...errors, 400, 499])
    expect(lines.map(({ sample }) => sample)).toEqual(lines.map(() => 1))
    expect(lines.at(-1)).toMatchObject({ target: '/never', status: 499, result: 'aborted' })
  })

  test('is decided by chance for each request', async () => {
    const log = await logged({ format: '{target} {sample}', sample: 0.25 }, site)
    const random = vi.spyOn(Math, 'random')
    onTestFinished(() => random.mockRestore())
    for (const [url, chance] of Object.entries({ '/201': 0.24, '/202': 0.25, '/203': 0, '/204': 0.99 })) {
      random.mockReturnValue(chance)
      await log.server.inject(url)
    }
    expect(await log.lines()).toEqual(['/201 0.25', '/203 0.25'])
  })

  test('is off unless the config says otherwise', async () => {
    const log = await logged({ format: 'json' }, site)
    for (let i = 0; i < 50; i++) await log.server.inject('/200')
    const lines = await log.lines()
    expect(lines).toHaveLength(50)
    expect(JSON.parse(lines[0]!)).not.toHaveProperty('sample')
  })
})

describe('what is always logged', () => {
  const sampling = samplingOf({ sample: 0.5, slow: 1_000 })
  const outcome: Outcome = { result: 'sent', bytes: 1, bodyBytes: 1, milliseconds: 999 }

  test.each([
    ['an ordinary answer', 200, {}, 0.5],
    ['a redirect', 308, {}, 0.5],
    ['a connection that was upgraded', 101, { result: 'upgraded' }, 0.5],
    ['a slow one', 200, { milliseconds: 1_000 }, 1],
    ['a client error', 400, {}, 1],
    ['a server error', 500, {}, 1],
    ['an answer that broke off', 200, { result: 'failed' }, 1],
    ['one that its client did not wait for', 200, { result: 'aborted' }, 1],
    ['one that a deadline cut', 200, { result: 'timeout' }, 1],
    ['a refused message', 200, { result: 'refused' }, 1],
  ] as const)('%s', (_what, status, more, share) => {
    expect(sampling(status, { ...outcome, ...more })).toBe(share)
  })
})

test.each([
  [{ sample: 1.1 }, 'sample: expected a share from 0 to 1, got 1.1'],
  [{ sample: -0.1 }, 'sample: expected a share from 0 to 1, got -0.1'],
  [{ sample: Number.NaN }, 'sample: expected a share from 0 to 1, got NaN'],
  [{ sample: '10%' }, "sample: expected a share from 0 to 1, got '10%'"],
  [{ slow: '1 s' }, "slow: expected a duration such as 1000 or '1s', got '1 s'"],
])('%j is told when the config loads', async (options, sentence) => {
  const loading = createServer({ plugins: [accessLog(options as never)] })
  await expect(loading).rejects.toThrow(`plugins[0] (access-log): options.${sentence}`)
})
