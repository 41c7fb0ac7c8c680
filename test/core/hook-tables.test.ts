import {
  Connect,
  createServer,
  type Diagnostic,
  definePlugin,
  Handle,
  HttpResponse,
  type PluginServer,
  type PluginSite,
  type Plugins,
  Transform,
} from 'rawhttp'
import { describe, expect, test, vi } from 'vitest'
import { onServer, onSite, serve } from '../support/in-memory.ts'
import { withoutPlaces } from '../support/places.ts'
import { exchangeBytes } from '../support/raw-client.ts'
import { startServer } from '../support/server.ts'

const stage = Handle.Route
const hello = onSite('hello', site =>
  site.hooks.handle.tap({ name: 'hello', stage }, () => HttpResponse.text('hello')),
)

const failure = (plugin: Plugins[number]) =>
  createServer({ plugins: [plugin] }).then(
    () => 'it was set up',
    (error: Error) => withoutPlaces(error.message),
  )

describe('a hook that does not exist is told in a sentence', () => {
  const site = (hooks: PluginSite['hooks'], name: string) =>
    hooks[name as 'handle'].tap({ name, stage }, () => undefined)
  const server = (hooks: PluginServer['hooks'], name: string) =>
    hooks[name as 'report'].tap(name, () => undefined)

  test.each([
    ['nope', 'site.hooks has no "nope"; it has handle, error, transform, deliver, done'],
    [
      'handel',
      'site.hooks has no "handel"; did you mean "handle"? it has handle, error, transform, deliver, done',
    ],
    ['start', 'site.hooks has no "start"; it is a hook of the server: site.server.hooks.start'],
  ])('of a site: %s', async (name, sentence) => {
    expect(await failure(onSite('p', ({ hooks }) => site(hooks, name)))).toBe(
      `config: plugins[0]: plugin "p", site() for "default": ${sentence}`,
    )
  })

  test.each([
    [
      'nope',
      'server.hooks has no "nope"; it has start, connection, protocolError, report, retire, drain, stop',
    ],
    ['deliver', 'server.hooks has no "deliver"; it is a hook of each site: site.hooks.deliver in site()'],
  ])('of a server: %s', async (name, sentence) => {
    expect(await failure(onServer('p', ({ hooks }) => server(hooks, name)))).toBe(
      `config: plugins[0]: plugin "p", server(): ${sentence}`,
    )
  })

  test('but printing, awaiting or listing the hooks is no mistake', async () => {
    const plugin = onSite('p', async ({ hooks }) => {
      expect(await Promise.resolve(hooks)).toBe(hooks)
      expect(JSON.stringify(hooks)).toContain('handle')
      expect(`${hooks}`).toBe('[object Object]')
      expect(Object.keys(hooks)).toEqual(['handle', 'error', 'transform', 'deliver', 'done'])
    })
    expect(await failure(plugin)).toBe('it was set up')
  })

  test('and nobody but the kernel fires one', async () => {
    await serve([
      onSite('p', ({ hooks, server }) => {
        for (const hook of [hooks.handle, hooks.done, server.hooks.report, server.hooks.start])
          expect(Object.keys(hook)).toEqual(['tap', 'tapPromise', 'tapAsync'])
      }),
    ])
  })
})

describe('an answer of the wrong kind is a 500 that names tap and kind', () => {
  const upgrade = () => HttpResponse.upgrade({ protocol: 'x' }, () => undefined)
  const fails = onSite('fails', site =>
    site.hooks.handle.tap({ name: 'fails', stage }, ({ path }) => {
      if (path === '/fails') throw new Error('x')
    }),
  )

  test.each<[string, (site: PluginSite) => void, string]>([
    [
      'handle',
      ({ hooks }) => hooks.handle.tap({ name: 'p', stage }, (() => 'x') as never),
      'expected an HttpResponse or nothing, got "x"',
    ],
    [
      'error',
      ({ hooks }) => hooks.error.tap('p', (() => ({ status: 500 })) as never),
      'expected an HttpResponse or nothing, got an object',
    ],
    [
      'error',
      ({ hooks }) => hooks.error.tap('p', upgrade),
      'only a tap of handle may answer with HttpResponse.upgrade()',
    ],
    [
      'transform',
      ({ hooks }) => hooks.transform.tap({ name: 'p', stage }, (() => true) as never),
      'expected an HttpResponse or nothing, got true',
    ],
    [
      'transform',
      ({ hooks }) => hooks.transform.tap({ name: 'p', stage }, upgrade),
      'only a tap of handle may answer with HttpResponse.upgrade()',
    ],
    [
      'deliver',
      ({ hooks }) => hooks.deliver.tap('p', ((response: HttpResponse) => response.fork()) as never),
      'expected nothing, got an object (HttpResponse); a tap of deliver changes the response that it is given',
    ],
  ])('of %s', async (hook, tap, sentence) => {
    const { ask, reports } = await serve([onSite('p', tap), fails])
    expect((await ask(hook === 'error' ? '/fails' : '/')).status).toBe(500)
    expect(reports.map(report => report.message)).toContain(`plugin "p", ${hook} tap "p" failed: ${sentence}`)
  })

  test('and of one that only watches it is reported', async () => {
    const plugin = onSite('p', ({ hooks }) => hooks.done.tap('p', (() => 'x') as never))
    const { ask, reports } = await serve([plugin, hello])
    expect((await ask()).text()).toBe('hello')
    expect(reports.map(report => report.message)).toEqual([
      'plugin "p", done tap "p" failed: expected nothing, got "x"',
    ])
  })
})

describe('a transform tap', () => {
  test('changes the fork that it gets, or puts another response in its place', async () => {
    const shared = HttpResponse.text('shared')
    const changes = onSite('changes', ({ hooks: { transform } }) => {
      transform.tap({ name: 'replace', stage: 1 }, () => shared)
      transform.tap({ name: 'change', stage: 2 }, response => void response.set('x-a', '1'))
      let kept: HttpResponse
      transform.tap({ name: 'same', stage: 3 }, response => {
        kept = response.set('x-b', '2')
        return kept
      })
      transform.tap({ name: 'next', stage: 4 }, response => void expect(response).toBe(kept))
    })
    const { ask, reports } = await serve([changes, hello])
    for (const _ of [1, 2]) {
      const answer = await ask()
      expect([answer.text(), answer.headers.get('x-a'), answer.headers.get('x-b')]).toEqual([
        'shared',
        '1',
        '2',
      ])
    }
    expect(shared.headers.has('x-a')).toBe(false)
    expect(reports).toEqual([])
  })

  test('gets what the one before it made', async () => {
    const seen: unknown[] = []
    const sees = onSite('sees', ({ hooks: { transform } }) => {
      transform.tapPromise({ name: 'a', stage: 1 }, async response => response.replace('two'))
      transform.tapAsync({ name: 'b', stage: 2 }, (response, _request, callback) => {
        seen.push(response.body)
        callback()
      })
    })
    expect((await (await serve([sees, hello])).ask()).text()).toBe('two')
    expect(seen).toEqual(['two'])
  })
})

test('a response knows the tap that gave it first, through all its forks', async () => {
  const shared = HttpResponse.text('shared')
  const gives = (name: string) =>
    onSite(name, site =>
      site.hooks.handle.tap({ name, stage }, ({ path }) => (path === `/${name}` ? shared : undefined)),
    )
  const seen: unknown[] = []
  const sees = onSite('sees', site =>
    site.hooks.deliver.tap('sees', response => void seen.push(response.givenBy?.plugin)),
  )
  const { ask } = await serve([gives('one'), gives('two'), sees, hello])
  for (const path of ['/one', '/two', '/']) await ask(path)
  expect(seen).toEqual(['one', 'one', 'hello'])
})

/** A plugin that throws in one hook of a site, on the path /boom only. */
const throwsIn = (hook: 'handle' | 'error' | 'transform' | 'deliver' | 'done') =>
  onSite('boom', ({ hooks }) => {
    const boom = (request: { readonly path: string }) => {
      if (request.path === '/boom') throw new Error('secret 17')
    }
    if (hook === 'handle') hooks.handle.tap({ name: 'boom:tap', stage: -1 }, boom)
    else if (hook === 'transform')
      hooks.transform.tap({ name: 'boom:tap', stage: Transform.Shape }, (_, request) => boom(request))
    else if (hook === 'done') hooks.done.tap('boom:tap', boom)
    else if (hook === 'deliver') hooks.deliver.tap('boom:tap', (_, request) => boom(request))
    else {
      hooks.handle.tap({ name: 'boom:first', stage: -1 }, ({ path }) => {
        if (path === '/boom') throw new Error('the first fault')
      })
      hooks.error.tap('boom:tap', (_, request) => boom(request))
    }
  })

describe('a throw in a hook of a site', () => {
  test.each(['handle', 'error', 'transform', 'deliver'] as const)(
    '%s is a 500 without its text, reported with plugin, hook and tap, and the server goes on',
    async hook => {
      await using server = await startServer({ plugins: [throwsIn(hook), hello] })
      const answers = await exchangeBytes(
        server.port,
        'GET /boom HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      )
      expect(answers).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/)
      expect(answers).not.toContain('secret')
      expect(server.reports.filter(report => report.message.includes('secret 17'))[0]).toMatchObject({
        code: 'TAP_FAILED',
        message: `plugin "boom", ${hook} tap "boom:tap" failed: secret 17`,
        severity: 'error',
        plugin: 'boom',
        hook,
        tap: 'boom:tap',
        site: 'default',
        request: 'GET /boom',
        cause: new Error('secret 17'),
      })
      expect((await server.untilEnded(1)).map(({ outcome }) => outcome.result)).toEqual(['sent'])
      const next = await exchangeBytes(server.port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
      expect(next).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*hello$/)
    },
  )

  test('done is reported with plugin, hook and tap; the other taps and the client are none the worse', async () => {
    const { ask, reports, done } = await serve([throwsIn('done'), hello])
    expect((await ask('/boom')).text()).toBe('hello')
    expect(reports).toMatchObject([
      {
        message: 'plugin "boom", done tap "boom:tap" failed: secret 17',
        plugin: 'boom',
        hook: 'done',
        tap: 'boom:tap',
        site: 'default',
        request: 'GET /boom',
      },
    ])
    expect(done).toHaveLength(1)
    expect((await ask()).text()).toBe('hello')
  })
})

describe('a throw in a hook of the server', () => {
  const boom = () => {
    throw new Error('secret 17')
  }
  const named = (hook: string) => ({
    message: `plugin "boom", ${hook} tap "boom:tap" failed: secret 17`,
    plugin: 'boom',
    hook,
    tap: 'boom:tap',
  })

  test.each([
    ['at once', boom],
    ['later', async () => boom()],
  ])('start fails the start %s, named, and stop runs for what had started', async (_how, fn) => {
    const reasons: string[] = []
    const { server } = await serve([
      onServer('first', ({ hooks }) =>
        hooks.stop.tap('stop', (_server, reason) => void reasons.push(reason)),
      ),
      onServer('boom', ({ hooks }) => hooks.start.tapPromise('boom:tap', fn as never)),
    ])
    await expect(server.listen()).rejects.toThrow('plugin "boom", start tap "boom:tap": secret 17')
    expect(reasons).toEqual(['failed'])
  })

  test('start keeps the code of the error', async () => {
    const error = Object.assign(new Error('denied'), { code: 'EACCES' })
    const { server } = await serve([
      onServer('boom', ({ hooks }) => hooks.start.tapPromise('a', () => Promise.reject(error))),
    ])
    await expect(server.listen()).rejects.toMatchObject({
      code: 'EACCES',
      message: 'config: plugins[1]: plugin "boom", start tap "a": denied',
    })
  })

  test('connection closes that connection, and the next one is served', async () => {
    let count = 0
    await using server = await startServer({
      plugins: [
        onServer('boom', ({ hooks }) =>
          hooks.connection.tap({ name: 'boom:tap', stage: Connect.Filter }, () => {
            if (count++ === 0) boom()
          }),
        ),
        hello,
      ],
    })
    const get = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'
    expect(await exchangeBytes(server.port, get)).toBe('')
    expect(server.reports).toMatchObject([named('connection')])
    expect(await exchangeBytes(server.port, get)).toContain('hello')
  })

  test.each<[unknown, string]>([
    [{}, 'an object'],
    ['mine', '"mine"'],
    [{ name: 'a', drain: () => undefined }, 'an object'],
    [{ drain: () => undefined, destroy: () => undefined }, 'an object'],
  ])('connection is failed by the owner %j too', async (owner, got) => {
    await using server = await startServer({
      plugins: [
        onServer('boom', ({ hooks }) =>
          hooks.connection.tap({ name: 'a', stage: 0 }, (() => owner) as never),
        ),
      ],
    })
    expect(await exchangeBytes(server.port, '')).toBe('')
    expect(server.reports[0]?.message).toBe(
      `plugin "boom", connection tap "a" failed: expected an owner { name, drain, destroy } or nothing, got ${got}`,
    )
  })

  test('protocolError is a bare 500, and the server goes on', async () => {
    await using server = await startServer({
      plugins: [onServer('boom', ({ hooks }) => hooks.protocolError.tap('boom:tap', boom)), hello],
    })
    const refused = await exchangeBytes(server.port, 'GET / HTTP/1.1\r\n\r\n')
    expect(refused).toMatch(/^HTTP\/1\.1 500 /)
    expect(refused).not.toContain('secret')
    expect(server.reports).toContainEqual(expect.objectContaining({ ...named('protocolError'), site: '-' }))
    const next = await exchangeBytes(server.port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    expect(next).toContain('hello')
  })

  test('retire is reported, the other taps run, and the reload stands', async () => {
    const retired: string[] = []
    const { reports, ask, reload } = await serve([
      onServer('boom', ({ hooks }) => hooks.retire.tap('boom:tap', boom)),
      onServer('next', ({ hooks }) => hooks.retire.tap('a', () => void retired.push('next'))),
    ])
    await reload({ plugins: [hello] })
    expect(reports).toMatchObject([named('retire')])
    expect(retired).toEqual(['next'])
    expect((await ask()).text()).toBe('hello')
  })

  test.each([
    ['a sync one', (hooks: PluginServer['hooks']) => hooks.stop.tap('boom:tap', boom)],
    ['a promise', (hooks: PluginServer['hooks']) => hooks.stop.tapPromise('boom:tap', async () => boom())],
    [
      'a callback',
      (hooks: PluginServer['hooks']) =>
        hooks.stop.tapAsync('boom:tap', (_server, _reason, callback) => callback(new Error('secret 17'))),
    ],
  ])('stop is reported, and the taps behind it run all the same: %s', async (_kind, tap) => {
    const stopped: string[] = []
    const { server, reports } = await serve([
      onServer('boom', ({ hooks }) => tap(hooks)),
      onServer('next', ({ hooks }) => hooks.stop.tap('a', (_server, reason) => void stopped.push(reason))),
    ])
    await server.inject()
    await server.stop()
    expect(reports).toMatchObject([named('stop')])
    expect(stopped).toEqual(['shutdown'])
  })

  test('report goes to stderr with what it was to report, and the other taps have it', async () => {
    const written: string[] = []
    const stderr = vi
      .spyOn(process.stderr, 'write')
      .mockImplementation(text => written.push(String(text)) > 0)
    const { ask, reports } = await serve([
      onServer('deaf', ({ hooks }) => hooks.report.tap('deaf:tap', boom)),
      throwsIn('handle'),
      hello,
    ])
    const answer = await ask('/boom')
    stderr.mockRestore()
    expect(answer.status).toBe(500)
    expect(reports).toHaveLength(1)
    const lines = written
      .join('')
      .split('\n')
      .filter(line => line.startsWith('rawhttp: '))
    expect(lines).toEqual([
      'rawhttp: error: plugin "deaf", report tap "deaf:tap" failed: secret 17 (TAP_FAILED)',
      'rawhttp: error: plugin "boom", handle tap "boom:tap" failed: secret 17; GET /boom (TAP_FAILED)',
    ])
    expect((await ask()).text()).toBe('hello')
  })
})

test('the taps of start, retire and stop get the server as their own plugin sees it', async () => {
  const reported: Diagnostic[] = []
  const told = (code: string) => ({ code, message: code, severity: 'info' as const, plugin: 'somebody else' })
  const tells = definePlugin({
    name: 'tells',
    server({ hooks }) {
      hooks.report.tap('a', diagnostic => void reported.push(diagnostic))
      hooks.start.tap('a', server => server.report(told('START')))
      hooks.retire.tap('a', server => server.report(told('RETIRE')))
      hooks.stop.tapAsync('a', (server, reason, callback) => {
        server.report(told(`STOP ${reason}`))
        callback()
      })
    },
  })
  const { server, reload } = await serve([tells()])
  await server.inject()
  await reload({})
  expect(reported.map(({ code, plugin }) => `${plugin} ${code}`)).toEqual([
    'tells START',
    'tells RETIRE',
    'tells STOP reload',
  ])
})
