import { createServer, definePlugin, Handle, HttpResponse, type Plugins, scope } from 'rawhttp'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { onServer, onSite, serve } from '../support/in-memory.ts'
import { RawClient } from '../support/raw-client.ts'
import { turns } from '../support/turns.ts'

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

/** A plugin that tells when it starts, retires and stops, and answers with its generation. */
function lives(generation: string, log: string[], goOn?: Promise<void>) {
  return definePlugin({
    name: 'lives',
    server({ hooks }) {
      const tell = (what: string) => void log.push(`${generation} ${what}`)
      hooks.start.tapPromise('start', async () => tell('starts'))
      hooks.retire.tap('retire', () => tell('retires'))
      hooks.stop.tapPromise('stop', async (_server, reason) => tell(`stops: ${reason}`))
    },
    site(site) {
      site.hooks.handle.tapPromise({ name: 'answer', stage: Handle.Route }, async ({ path }) => {
        if (path === '/slow') await goOn
        return HttpResponse.text(generation)
      })
      site.hooks.deliver.tap('mark', response => void response.set('x-generation', generation))
      site.hooks.done.tap('done', request => void log.push(`${generation} done ${request.path}`))
    },
  })()
}

const inSite = (...plugins: Plugins[number][]) => ({ sites: [{ name: 's', plugins }] })

describe('a reload', () => {
  test('starts the new generation, retires the old one at the swap, and stops it', async () => {
    const log: string[] = []
    const { server, ask, reload } = await serve(inSite(lives('one', log)))
    expect((await ask()).text()).toBe('one')
    await reload(inSite(lives('two', log)))
    expect((await ask()).text()).toBe('two')
    await server.stop()
    expect(log).toEqual([
      'one starts',
      'one done /',
      'two starts',
      'one retires',
      'one stops: reload',
      'two done /',
      'two stops: shutdown',
    ])
  })

  test('lets a request end in the generation that it began in, which stops only then', async () => {
    const log: string[] = []
    const { promise: goOn, resolve } = Promise.withResolvers<void>()
    const { server, ask, reload } = await serve(inSite(lives('one', log, goOn)))
    const slow = ask('/slow')
    await reload(inSite(lives('two', log)))
    expect((await ask()).text()).toBe('two')
    expect(log.filter(line => line.startsWith('one'))).toEqual(['one starts', 'one retires'])
    resolve()
    const answer = await slow
    expect([answer.text(), answer.headers.get('x-generation')]).toEqual(['one', 'one'])
    await server.stop()
    expect(log.filter(line => line.startsWith('one'))).toEqual([
      'one starts',
      'one retires',
      'one done /slow',
      'one stops: reload',
    ])
  })

  test('stops the old generation when its last request has ended, not the first', async () => {
    const log: string[] = []
    const { promise: goOn, resolve } = Promise.withResolvers<void>()
    const first = Promise.withResolvers<void>()
    const both = onSite('both', site =>
      site.hooks.handle.tapPromise({ name: 'first', stage: Handle.Guard }, async ({ path }) => {
        if (path === '/first') await first.promise
      }),
    )
    const { server, ask, reload } = await serve(inSite(both, lives('one', log, goOn)))
    const [one, two] = [ask('/first'), ask('/slow')]
    await reload({})
    first.resolve()
    await one
    await ask()
    expect(log.at(-1)).toBe('one done /first')
    resolve()
    await two
    await server.stop()
    expect(log.slice(-2)).toEqual(['one done /slow', 'one stops: reload'])
  })

  test('opens no port of a server that only answers injected requests', async () => {
    const other = await serve({ listen: [{ port: 0 }], ...inSite(lives('taken', [])) })
    const [{ url }] = (await other.server.listen()) as [{ url: string }]
    const taken = Number(new URL(url).port)
    const { server, ask } = await serve(inSite(lives('one', [])))
    await ask('/')
    await server.reload({ listen: [{ port: taken }], ...inSite(lives('two', [])) })
    expect((await ask('/')).text()).toBe('two')
    await other.server.stop()
  })

  test('waits for the one before it, and each generation stops once', async () => {
    const log: string[] = []
    const { server, ask } = await serve(inSite(lives('one', log)))
    await ask('/')
    await Promise.all(['two', 'three'].map(name => server.reload(inSite(lives(name, log)))))
    expect((await ask('/')).text()).toBe('three')
    await server.stop()
    for (const name of ['one', 'two'])
      expect(log.filter(line => line === `${name} stops: reload`)).toHaveLength(1)
    expect(log.filter(line => line === 'three stops: shutdown')).toHaveLength(1)
  })

  test('while the server stops is refused, and what it has started is stopped', async () => {
    const log: string[] = []
    const { promise: goOn, resolve } = Promise.withResolvers<void>()
    const starts = Promise.withResolvers<void>()
    const slow = onServer('slow', ({ hooks }) =>
      hooks.start.tapPromise('slow', async () => {
        starts.resolve()
        await goOn
      }),
    )
    const { server, ask, reload } = await serve(inSite(lives('one', log)))
    await ask('/')
    const reloaded = reload({ plugins: [lives('two', log), slow] })
    const refused = expect(reloaded).rejects.toThrow('the server was stopped')
    await starts.promise
    const stopped = server.stop()
    resolve()
    await refused
    await stopped
    expect(log.filter(line => line.includes('stops')).toSorted()).toEqual([
      'one stops: shutdown',
      'two stops: failed',
    ])
  })

  test('changes how often the clock is looked at, for time-outs that are shorter now', async () => {
    const aborted = Promise.withResolvers<'aborted'>()
    const silent = onSite('silent', ({ hooks }) =>
      hooks.handle.tapPromise({ name: 'silent', stage: Handle.Route }, ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve('aborted'))
        return new Promise(() => undefined)
      }),
    )
    const { ask, reload } = await serve(inSite(lives('one', [])))
    await ask('/')
    await reload({ limits: { handlerTimeout: 40 }, ...inSite(silent) })
    void ask('/')
    // Both timers are of this process: whatever holds it up, the one that is due first runs first.
    const late = new Promise(resolve => setTimeout(resolve, 300, 'late'))
    expect(await Promise.race([aborted.promise, late])).toBe('aborted')
  })

  test('changes the limits of addresses that it keeps, for connections to come', async () => {
    const { server } = await serve({ listen: [{ port: 0 }], ...inSite(lives('one', [])) })
    const [{ url }] = (await server.listen()) as [{ url: string }]
    const port = Number(new URL(url).port)
    await using first = await RawClient.connect(port)
    first.send(get)
    await first.response()
    const turnedAway = Promise.withResolvers<string>()
    const watch = onServer('watch-limits', ({ hooks }) =>
      hooks.report.tap('watch', ({ message }) => turnedAway.resolve(message)),
    )
    await server.reload({
      listen: [{ port: 0 }],
      limits: { maxConnections: 1 },
      plugins: [watch],
      ...inSite(lives('two', [])),
    })
    await using second = await RawClient.connect(port)
    expect(await turnedAway.promise).toContain('limits.maxConnections')
    await second.closed
    first.send(get)
    expect((await first.response()).body.toString()).toBe('two')
  })

  test('keeps connections open, and their next request goes to the new generation', async () => {
    const { server } = await serve({ listen: [{ port: 0 }], ...inSite(lives('one', [])) })
    const [{ url }] = (await server.listen()) as [{ url: string }]
    await using client = await RawClient.connect(Number(new URL(url).port))
    client.send(get)
    expect((await client.response()).body.toString()).toBe('one')
    await server.reload({ listen: [{ port: 0 }], ...inSite(lives('two', [])) })
    client.send(get)
    expect((await client.response()).body.toString()).toBe('two')
    client.end()
    expect(await client.closed).toBe('end')
  })

  test.each<[string, () => Plugins[number], string, string[]]>([
    [
      'set-up',
      () =>
        onSite('bad', () => {
          throw new Error('no such folder')
        }),
      'plugin "bad", site() for "s": no such folder',
      [],
    ],
    [
      'start',
      () =>
        onServer('bad', ({ hooks }) =>
          hooks.start.tap('open', () => {
            throw new Error('no such folder')
          }),
        ),
      'plugin "bad", start tap "open": no such folder',
      ['two starts', 'two stops: failed'],
    ],
    [
      'hook',
      () => onSite('bad', site => site.hooks.handle.tap('x' as never, () => undefined)),
      'must name a stage',
      [],
    ],
  ])('that fails in a %s leaves the old generation as it was', async (_what, bad, sentence, undone) => {
    const log: string[] = []
    const { ask, reload } = await serve(inSite(lives('one', log)))
    await ask()
    log.length = 0
    await expect(reload(inSite(lives('two', log), bad()))).rejects.toThrow(sentence)
    expect(log).toEqual(undone)
    expect((await ask()).text()).toBe('one')
    await reload(inSite(lives('three', log)))
    expect((await ask()).text()).toBe('three')
  })
})

describe('start', () => {
  test('runs once, at the first inject or listen', async () => {
    const log: string[] = []
    const { server, ask } = await serve({ listen: [{ port: 0 }], ...inSite(lives('one', log)) })
    expect(log).toEqual([])
    await Promise.all([ask(), ask(), server.listen()])
    expect(log.filter(line => line.includes('starts'))).toHaveLength(1)
  })

  test('runs in the order of the config, one after another', async () => {
    const log: string[] = []
    const starts = (name: string) =>
      onServer(name, ({ hooks }) =>
        hooks.start.tapPromise('a', async () => {
          log.push(`${name} begins`)
          await Promise.resolve()
          log.push(`${name} is ready`)
        }),
      )
    const { server } = await serve([starts('one'), starts('two')])
    await server.inject()
    expect(log).toEqual(['one begins', 'one is ready', 'two begins', 'two is ready'])
  })

  test('does not run for a server that is only built', async () => {
    const log: string[] = []
    const server = await createServer(inSite(lives('one', log)))
    await server.stop()
    expect(log).toEqual([])
  })
})

test('the taps of all hooks are listed in their order, those of the server first', async () => {
  const plugin = definePlugin({
    name: 'p',
    server: ({ hooks }) => hooks.stop.tap('s', () => undefined),
    site({ hooks }) {
      hooks.done.tap('d', () => undefined)
      hooks.handle.tap({ name: 'h2', stage: 2 }, () => undefined)
      hooks.handle.tap({ name: 'h1', stage: 1 }, () => undefined)
    },
  })
  const server = await createServer({ plugins: [scope({ path: '/x' }, [plugin()])], sites: [{ name: 'a' }] })
  const listed = server.generation.taps().map(({ site, hook, name }) => `${site} ${hook} ${name}`)
  expect(listed).toEqual([
    'null stop s',
    '- handle h1',
    '- handle h2',
    '- done d',
    'a handle h1',
    'a handle h2',
    'a done d',
  ])
})

describe('the site of a request', () => {
  const named = (name: string, hosts?: string[]) => ({
    name,
    ...(hosts === undefined ? {} : { hosts }),
    plugins: [
      onSite('says', site =>
        site.hooks.handle.tap({ name: 'says', stage: 0 }, () => HttpResponse.text(site.name)),
      ),
    ],
  })

  test('is found by its host', async () => {
    const { ask } = await serve({
      sites: [named('a', ['a.example', '*.a.example']), named('b', ['b.example'])],
    })
    const at = (host: string) => ask({ headers: { host } }).then(({ status, text }) => [status, text()])
    expect(await at('A.example:80')).toEqual([200, 'a'])
    expect(await at('x.a.example')).toEqual([200, 'a'])
    expect(await at('b.example.')).toEqual([200, 'b'])
  })

  test('is "-" for a host that no site takes, and root plugins apply there', async () => {
    const marks = onSite('marks', site =>
      site.hooks.deliver.tap('marks', response => void response.set('x-site', site.name)),
    )
    const { ask, done } = await serve({ plugins: [marks], sites: [named('a', ['a.example'])] })
    const answer = await ask({ headers: { host: 'other.example' } })
    expect([answer.status, answer.headers.get('x-site')]).toEqual([421, '-'])
    expect(done).toMatchObject([
      { outcome: { result: 'refused' }, request: { refused: { id: 'HOST-UNKNOWN' } } },
    ])
  })
})

test('a stop tap that never ends is named, and the server stops without it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const entered = Promise.withResolvers<void>()
  const stuck = onServer('stuck', ({ hooks }) =>
    hooks.stop.tapPromise('flush', () => {
      entered.resolve()
      return new Promise(() => undefined)
    }),
  )
  const { server, ask, reports } = await serve({ plugins: [stuck] })
  await ask()
  const stopped = server.stop()
  await entered.promise
  vi.advanceTimersByTime(5_000)
  await stopped
  expect(reports).toContainEqual(
    expect.objectContaining({
      code: 'STOP_LATE',
      message: 'plugin "stuck", stop tap "flush" did not end within 5000 ms; the server goes on without',
    }),
  )
})

test('whoever waits for the end of a generation is told, however many they are', async () => {
  const { promise: goOn, resolve } = Promise.withResolvers<void>()
  const { server, ask } = await serve(inSite(lives('one', [], goOn)))
  const slow = ask('/slow')
  while (server.generation.pins === 0) await turns(1)
  const waiting = Promise.all([server.generation.idle(), server.generation.idle()])
  resolve()
  await slow
  await waiting
  await server.generation.idle()
})
