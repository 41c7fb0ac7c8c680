import { Readable } from 'node:stream'
import { Handle, type HttpRequest, HttpResponse, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onServer, onSite, serve } from '../support/in-memory.ts'
import { withoutPlaces } from '../support/places.ts'

const stage = Handle.Route
const hello = onSite('hello', site =>
  site.hooks.handle.tap({ name: 'hello', stage }, () => HttpResponse.text('hello')),
)

describe('a promise from a sync tap', () => {
  const hint = {
    async: 'expected an answer at once, got a promise; an async function needs tapPromise',
    sync: 'expected an answer at once, got a promise; this hook waits for nobody',
  }

  test.each([
    ['handle', hint.async],
    ['transform', hint.async],
    ['deliver', hint.sync],
    ['error', hint.sync],
    ['done', hint.sync],
  ] as const)('of %s is refused, and its rejection ends no process', async (hook, sentence) => {
    // An async function is told by its looks, when the config is loaded.
    const careless = () => Promise.reject(new Error('nobody waits for this'))
    const plugin = onSite('careless', site =>
      site.hooks[hook].tap({ name: 'careless', stage: -1 }, careless as never),
    )
    const fails = onSite('fails', site => {
      if (hook !== 'error') return
      site.hooks.handle.tap({ name: 'fails', stage }, () => {
        throw new Error('x')
      })
    })
    const { ask, reports } = await serve([plugin, fails, hello])
    expect((await ask()).status).toBe(hook === 'done' ? 200 : 500)
    const report = reports.find(each => each.plugin === 'careless')
    expect(report).toMatchObject({ code: 'TAP_FAILED', plugin: 'careless', hook, tap: 'careless' })
    expect(withoutPlaces(report!.message)).toBe(
      `plugin "careless", ${hook} tap "careless" failed: ${sentence}`,
    )
  })

  test('of start fails the start', async () => {
    const { server } = await serve([
      onServer('careless', ({ hooks }) => hooks.start.tap('a', (() => Promise.resolve()) as never)),
    ])
    await expect(server.inject()).rejects.toThrow(`plugin "careless", start tap "a": ${hint.async}`)
  })

  test('given to the callback is refused for what it is', async () => {
    const plugin = onSite('careless', site =>
      site.hooks.handle.tapAsync({ name: 'careless', stage }, (_request, callback) =>
        callback(null, Promise.resolve() as never),
      ),
    )
    const { ask, reports } = await serve([plugin])
    expect((await ask()).status).toBe(500)
    expect(reports[0]?.message).toContain('expected an HttpResponse or nothing, got a promise')
  })
})

describe('a callback that is called twice', () => {
  const twice = (first: HttpResponse, second: HttpResponse) =>
    onSite('twice', site =>
      site.hooks.handle.tapAsync({ name: 'twice:answer', stage }, (_request, callback) => {
        callback(null, first)
        callback(null, second)
      }),
    )

  test('gives the first answer; the second is dropped, and reported with the plugin', async () => {
    const { ask, reports, done } = await serve([twice(HttpResponse.text('one'), HttpResponse.text('two'))])
    expect((await ask('/a')).text()).toBe('one')
    expect(done).toHaveLength(1)
    expect(reports).toEqual([
      {
        code: 'TAP_CALLED_TWICE',
        message:
          'plugin "twice", handle tap "twice:answer" called its callback twice; the second answer was dropped',
        severity: 'error',
        plugin: 'twice',
        hook: 'handle',
        tap: 'twice:answer',
        site: 'default',
        request: 'GET /a',
      },
    ])
  })

  test('ends the stream that was dropped, not the one that is sent', async () => {
    const [sent, dropped] = [Readable.from(['one']), Readable.from(['two'])]
    const { ask } = await serve([twice(HttpResponse.stream(sent), HttpResponse.stream(dropped))])
    expect((await ask()).text()).toBe('one')
    expect(dropped.destroyed).toBe(true)
    const same = HttpResponse.stream(Readable.from(['one']))
    expect((await (await serve([twice(same, same)])).ask()).text()).toBe('one')
  })

  test('leaves the next request alone, however late the second call is', async () => {
    let again = (): void => undefined
    const late = onSite('late', site =>
      site.hooks.handle.tapAsync({ name: 'late', stage }, ({ path }, callback) => {
        callback(null, HttpResponse.text(path))
        again = () => callback(null, HttpResponse.text(`late ${path}`))
      }),
    )
    const { ask, reports } = await serve([late])
    await ask('/1')
    const callLate = again
    const second = ask('/2')
    callLate()
    expect((await second).text()).toBe('/2')
    expect(reports.map(report => report.code)).toEqual(['TAP_CALLED_TWICE'])
  })

  test('with an error is no failure of the request any more', async () => {
    const plugin = onSite('twice', site =>
      site.hooks.transform.tapAsync(
        { name: 'twice', stage: Transform.Shape },
        (_response, _request, callback) => {
          callback()
          callback(new Error('too late'))
        },
      ),
    )
    const { ask, reports } = await serve([plugin, hello])
    expect((await ask()).text()).toBe('hello')
    expect(reports.map(report => report.code)).toEqual(['TAP_CALLED_TWICE'])
  })
})

describe('a tap that fails', () => {
  const failing: [string, (request: HttpRequest, callback: (error?: Error | null) => void) => unknown][] = [
    [
      'by a throw',
      () => {
        throw new Error('secret 17')
      },
    ],
    ['by its callback', (_request, callback) => callback(new Error('secret 17'))],
    ['by its callback, later', (_request, callback) => setImmediate(callback, new Error('secret 17'))],
    [
      'by a throw in an async function that takes the callback',
      async () => {
        throw new Error('secret 17')
      },
    ],
    [
      'by a string',
      () => {
        throw 'secret 17'
      },
    ],
    [
      'by undefined',
      () => {
        throw undefined
      },
    ],
  ]

  test.each(failing)('%s is a 500 without its text, and named', async (_how, fn) => {
    const plugin = onSite('failing', site =>
      site.hooks.handle.tapAsync({ name: 'failing', stage }, fn as never),
    )
    const { ask, reports } = await serve([plugin])
    const answer = await ask()
    expect([answer.status, answer.text()]).toEqual([500, '500 Internal Server Error\n'])
    expect(reports).toHaveLength(1)
    expect(reports[0]).toMatchObject({
      code: 'TAP_FAILED',
      plugin: 'failing',
      hook: 'handle',
      tap: 'failing',
    })
    expect(reports[0]?.message).toContain('plugin "failing", handle tap "failing" failed: ')
  })

  test('by a promise is a 500 too, with whatever it was rejected', async () => {
    for (const reason of [new Error('secret 17'), 'secret 17', undefined, null]) {
      const plugin = onSite('failing', site =>
        site.hooks.handle.tapPromise({ name: 'failing', stage }, () => Promise.reject(reason)),
      )
      const { ask, reports } = await serve([plugin, hello])
      const answer = await ask()
      expect([answer.status, answer.text()]).toEqual([500, '500 Internal Server Error\n'])
      expect(reports).toMatchObject([{ plugin: 'failing', tap: 'failing' }])
    }
  })

  test('behind its callback is reported, and the request has its answer', async () => {
    const plugin = onSite('failing', site =>
      site.hooks.handle.tapAsync({ name: 'failing', stage }, (_request, callback) => {
        callback(null, HttpResponse.text('fine'))
        throw new Error('afterwards')
      }),
    )
    const { ask, reports } = await serve([plugin])
    expect((await ask()).text()).toBe('fine')
    expect(reports).toMatchObject([{ code: 'TAP_FAILED', plugin: 'failing' }])
    expect(reports[0]?.message).toContain('afterwards')
  })

  test('with the same error as another is told from it', async () => {
    const shared = new Error('shared')
    const fails = (name: string, path: string) =>
      onSite(name, site =>
        site.hooks.handle.tap({ name, stage }, request => {
          if (request.path === path) throw shared
        }),
      )
    const { ask, reports } = await serve([fails('one', '/1'), fails('two', '/2')])
    await ask('/1')
    await ask('/2')
    await ask('/1')
    expect(reports.map(report => report.plugin)).toEqual(['one', 'two', 'one'])
  })
})

test('a function for tapPromise that makes no promise answers at once', async () => {
  const plugin = onSite('plain', site =>
    site.hooks.handle.tapPromise({ name: 'plain', stage }, (() => HttpResponse.text('plain')) as never),
  )
  expect((await (await serve([plugin])).ask()).text()).toBe('plain')
})

test('null is no answer, as undefined is', async () => {
  const nulls = onSite('nulls', ({ hooks }) => {
    hooks.handle.tap({ name: 'a', stage: -3 }, (() => null) as never)
    hooks.handle.tapPromise({ name: 'b', stage: -2 }, (async () => null) as never)
    hooks.handle.tapAsync({ name: 'c', stage: -1 }, (_request, callback) => callback(null, null as never))
    hooks.transform.tap({ name: 'd', stage: 0 }, (() => null) as never)
    hooks.deliver.tap('e', (() => null) as never)
  })
  const { ask, reports } = await serve([nulls, hello])
  expect((await ask()).text()).toBe('hello')
  expect(reports).toEqual([])
})

test('while an async tap is waited for, it is the one that a time-out names', async () => {
  let seen: unknown
  const waits = onSite('waits', site =>
    site.hooks.handle.tapPromise({ name: 'waits', stage }, async request => {
      await Promise.resolve()
      seen = request.pendingTap
      return HttpResponse.text('a')
    }),
  )
  const { ask, done } = await serve([waits])
  await ask()
  expect(seen).toMatchObject({ plugin: 'waits', hook: 'handle', name: 'waits' })
  expect(done[0]?.request.pendingTap).toBeNull()
})
