import { rename } from 'node:fs/promises'
import { createServer, type HealthCheck, Slots } from 'rawhttp'
import { health } from 'rawhttp/plugins/health'
import { staticFiles } from 'rawhttp/plugins/static'
import { describe, expect, test } from 'vitest'
import { onServer, serve } from '../../support/in-memory.ts'
import { turns } from '../../support/turns.ts'
import { tempSite } from '../static/temp-site.ts'

type Checks = Readonly<Record<string, HealthCheck['run']>>

/** A server whose results are forgotten at once. */
const forgetful = (checks: Checks, timeout = 10_000) => serve([health({ checks, timeout, remember: 0 })])

const fails = () => {
  throw new Error('database "orders" is gone')
}

describe('readyz', () => {
  test('is 200 while all checks pass', async () => {
    const { ask } = await forgetful({ sync: () => undefined, async: async () => undefined })
    const answer = await ask('/readyz')
    expect([answer.status, answer.text()]).toEqual([200, 'ok\n'])
  })

  test.each<[string, HealthCheck['run']]>([
    ['throws', fails],
    ['rejects', async () => fails()],
    ['throws what is no error', () => Promise.reject('gone')],
  ])('is 503 when one of them %s, and livez is not concerned', async (_how, check) => {
    const { ask } = await forgetful({ well: () => undefined, check })
    const answer = await ask('/readyz')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await ask('/livez')).status).toBe(200)
  })

  test('asks again each time when nothing is remembered', async () => {
    let isGone = true
    const { ask } = await forgetful({ disk: () => (isGone ? fails() : undefined) })
    expect((await ask('/readyz')).status).toBe(503)
    isGone = false
    expect((await ask('/readyz')).status).toBe(200)
  })

  test('runs all checks at once', async () => {
    const gate = Promise.withResolvers<void>()
    const begun: string[] = []
    const waits = (name: string) => async () => {
      begun.push(name)
      await gate.promise
    }
    const { ask } = await forgetful({ a: waits('a'), b: waits('b'), c: waits('c') })
    const answer = ask('/readyz')
    await turns()
    expect(begun).toEqual(['a', 'b', 'c'])
    gate.resolve()
    expect((await answer).status).toBe(200)
  })

  test('runs the checks once for all who ask meanwhile, and for those who ask within the time', async () => {
    let runs = 0
    const count = async () => {
      runs++
      await turns(3)
    }
    const { ask } = await serve([health({ checks: { count }, remember: '1h' })])
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('/readyz')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await ask('/readyz')
    expect(runs).toBe(1)
  })

  test('counts the checks of other plugins, wherever they stand in the list', async () => {
    const offer = (name: string, run: HealthCheck['run']) =>
      onServer(name, server => server.get(Slots.health).add({ name, run }))
    const { ask } = await serve([
      offer('before', () => undefined),
      health({ remember: 0 }),
      offer('behind', fails),
    ])
    expect((await ask('/readyz?verbose')).text()).toBe(
      '[+]before ok\n[-]behind failed: database "orders" is gone\nreadyz check failed\n',
    )
  })

  test('is 503 while a folder that static needs cannot be read', async () => {
    await using site = await tempSite({ 'a.txt': 'a' })
    const plugins = [health({ remember: 0 }), staticFiles({ root: site.root, required: true })]
    const { ask } = await serve(plugins)
    expect((await ask('/readyz')).status).toBe(200)
    await rename(site.root, `${site.root}-away`)
    expect((await ask('/readyz?verbose')).text()).toContain(`failed: no such folder: ${site.root}\n`)
    await rename(`${site.root}-away`, site.root)
    expect((await ask('/readyz')).status).toBe(200)
  })

  test('does not ask for a folder that is not said to be needed', async () => {
    await using site = await tempSite({ 'a.txt': 'a' })
    const { ask } = await serve([health(), staticFiles({ root: site.root })])
    expect((await ask('/readyz?verbose')).text()).toBe('readyz check passed\n')
  })
})

describe('a check that hangs', () => {
  test('fails when its time is up, and is told', async () => {
    let reason: unknown
    const hangs = (signal: AbortSignal) =>
      new Promise<void>(() => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
        })
      })
    const { ask } = await forgetful({ hangs }, 5)
    expect((await ask('/readyz?verbose')).text()).toContain('[-]hangs failed: it took longer than 5 ms\n')
    expect(reason).toMatchObject({ message: 'it took longer than 5 ms' })
  })

  test('is not begun a second time, and counts again when it has ended', async () => {
    let runs = 0
    let gate = Promise.withResolvers<void>()
    const hangs = () => {
      runs++
      return gate.promise
    }
    const { ask } = await forgetful({ hangs }, 5)
    await ask('/readyz')
    expect((await ask('/readyz?verbose')).text()).toContain('[-]hangs failed: it has not ended since 0 s\n')
    expect(runs).toBe(1)
    gate.resolve()
    gate = Promise.withResolvers()
    gate.resolve()
    await turns()
    expect((await ask('/readyz')).status).toBe(200)
    expect(runs).toBe(2)
  })

  test('does no harm when it fails after its time', async () => {
    const gate = Promise.withResolvers<void>()
    const { ask, reports } = await forgetful({ hangs: () => gate.promise }, 5)
    await ask('/readyz')
    gate.reject(new Error('too late'))
    await turns()
    expect(reports.map(({ message }) => message)).toEqual([
      'not ready: check "hangs" failed: it took longer than 5 ms',
    ])
  })
})

describe('the operator', () => {
  test('is told once that a check fails, and once that it is well again', async () => {
    let isGone = true
    const { ask, reports } = await forgetful({ disk: () => (isGone ? fails() : undefined) })
    for (let probe = 0; probe < 5; probe++) await ask('/readyz')
    isGone = false
    for (let probe = 0; probe < 5; probe++) await ask('/readyz')
    expect(reports.map(({ severity, message, plugin }) => [severity, message, plugin])).toEqual([
      ['error', 'not ready: check "disk" failed: database "orders" is gone', 'health'],
      ['info', 'check "disk" is well again', 'health'],
    ])
  })
})

describe('options', () => {
  test.each<[object, string]>([
    [{ readyz: 'ready' }, "options.readyz: expected a path such as '/readyz', or false, got 'ready'"],
    [{ livez: '/a//b' }, "options.livez: expected a path such as '/livez', or false, got '/a//b'"],
    [{ livez: '/x', readyz: '/x' }, 'expected two paths for livez and readyz, got one'],
    [{ timeout: 'soon' }, "options.timeout: expected a duration such as 500 or '1s', got 'soon'"],
    [{ checks: { db: true } }, 'options.checks.db: expected a function that throws when something is gone'],
    [{ checks: { 'a b': () => undefined } }, "expected a name such as 'database'"],
    [{ details: ['nobody'] }, "options.details[0]: expected an address such as '192.0.2.7'"],
    [{ redyz: '/x' }, "did you mean 'readyz'?"],
  ])('that are wrong are told by name: %o', async (options, sentence) => {
    await expect(createServer({ plugins: [health(options as never)] })).rejects.toThrow(sentence)
  })

  test('take other paths, and leave one out', async () => {
    const { ask } = await serve([health({ livez: false, readyz: '/up' })])
    expect((await ask('/up')).status).toBe(200)
    expect((await ask('/livez')).status).toBe(404)
    expect((await ask('/readyz')).status).toBe(404)
  })
})
