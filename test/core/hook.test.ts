import {
  Connect,
  createServer,
  definePlugin,
  Handle,
  HttpResponse,
  type PluginServer,
  type PluginSite,
  type Plugins,
  type SiteHooks,
  scope,
  Transform,
} from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onServer, onSite, serve } from '../support/in-memory.ts'
import { withoutPlaces } from '../support/places.ts'

/** The sentence that a set-up fails with. */
const failure = (plugin: Plugins[number]) =>
  createServer({ plugins: [plugin] }).then(
    () => 'it was set up',
    (error: Error) => withoutPlaces(error.message),
  )

const nothing = () => undefined

describe('a tap without a stage is refused', () => {
  test.each(['handle', 'transform'] as const)('on %s, by whatever way it comes', async hook => {
    for (const kind of ['tap', 'tapPromise', 'tapAsync'] as const) {
      for (const options of ['guard', { name: 'guard' }]) {
        const plugin = onSite('auth', site => site.hooks[hook][kind](options as never, nothing as never))
        expect(await failure(plugin)).toBe(
          `config: plugins[0]: plugin "auth", site() for "default": hook ${hook}: tap "guard" must name a stage: { name, stage: … }`,
        )
      }
    }
  })

  test('on connection', async () => {
    const plugin = onServer('filter', server => server.hooks.connection.tap('filter' as never, nothing))
    expect(await failure(plugin)).toBe(
      'config: plugins[0]: plugin "filter", server(): hook connection: tap "filter" must name a stage: { name, stage: … }',
    )
  })

  test('and on the others it stands at 0', async () => {
    const { server } = await serve([onSite('a', site => site.hooks.deliver.tap('a', nothing))])
    expect(server.generation.taps().find(tap => tap.plugin === 'a')).toMatchObject({
      hook: 'deliver',
      stage: 0,
    })
  })
})

describe('what cannot be a tap is refused with plugin, hook and reason', () => {
  const stage = Handle.Guard
  test.each<[string, (handle: SiteHooks['handle']) => void, string]>([
    [
      'before',
      handle => handle.tap({ name: 'a', stage, before: 'b' } as never, nothing),
      '"before" does not exist here: name a stage, for example Handle.Guard - 10',
    ],
    [
      'an option that there is not',
      handle => handle.tap({ name: 'a', stage, fn: nothing } as never, nothing),
      'unknown "fn"; a tap has name and stage',
    ],
    [
      'a misspelt one',
      handle => handle.tap({ name: 'a', stgae: stage } as never, nothing),
      `unknown "stgae"; a tap has name and stage; did you mean 'stage'?`,
    ],
    [
      'an async function',
      handle => handle.tap({ name: 'a', stage }, (async () => undefined) as never),
      'tap() takes a function that answers at once, got an async one; use tapPromise()',
    ],
    ['no name', handle => handle.tap({ stage } as never, nothing), 'a tap needs a name, got undefined'],
    ['an empty name', handle => handle.tap({ name: '', stage }, nothing), 'a tap needs a name, got ""'],
    ['no options', handle => handle.tap(undefined as never, nothing), 'a tap needs a name, got undefined'],
    [
      'a stage by name',
      handle => handle.tap({ name: 'a', stage: 'Guard' } as never, nothing),
      'stage must be a number, got "Guard"',
    ],
    [
      'a stage that is no number',
      handle => handle.tap({ name: 'a', stage: Number.NaN }, nothing),
      'stage must be a number, got NaN',
    ],
    [
      'no function',
      handle => handle.tap({ name: 'a', stage }, 'x' as never),
      'a tap must be a function, got "x"',
    ],
  ])('%s', async (_name, tap, sentence) => {
    expect(await failure(onSite('p', site => tap(site.hooks.handle)))).toBe(
      `config: plugins[0]: plugin "p", site() for "default": hook handle: ${sentence}`,
    )
  })

  test.each(['error', 'deliver', 'done'] as const)('an async tap of %s', async hook => {
    for (const kind of ['tapPromise', 'tapAsync']) {
      const plugin = onSite('p', site =>
        (site.hooks[hook] as never as SiteHooks['handle'])[kind as 'tap']('a' as never, nothing),
      )
      expect(await failure(plugin)).toContain(`hook ${hook}: this hook is sync: use tap()`)
    }
  })

  test('one of connection inside a scope, where there is no request to test', async () => {
    const filter = onServer('filter', server =>
      server.hooks.connection.tap({ name: 'filter', stage: Connect.Filter }, nothing),
    )
    expect(await failure(scope({ path: '/a' }, [filter]))).toContain(
      'plugin "filter", server(): hook connection: inside a scope there is no request yet to test; take the plugin out of the scope',
    )
  })
})

describe('hooks are sealed', () => {
  const sealed = (plugin: string, hook: string) =>
    `plugin "${plugin}", hook ${hook}: hooks are sealed; tap in server() or site(), before they end`

  test('when the set-up has ended', async () => {
    let late: PluginSite | undefined
    let server: PluginServer | undefined
    const keeps = definePlugin({
      name: 'late',
      server(given) {
        server = given
      },
      site(given) {
        late = given
      },
    })
    const { ask } = await serve([keeps()])
    const tap = () => late!.hooks.handle.tap({ name: 'a', stage: 0 }, nothing)
    expect(tap).toThrow(sealed('late', 'handle'))
    expect(() => server!.hooks.report.tap('a', nothing)).toThrow(sealed('late', 'report'))
    await ask()
    expect(tap).toThrow(sealed('late', 'handle'))
  })

  test('for a plugin whose set-up is over while that of another runs', async () => {
    const message = Promise.withResolvers<string>()
    const forgets = onSite('forgets', site => {
      const tapLater = async () => {
        await Promise.resolve()
        try {
          site.hooks.deliver.tap('a', nothing)
          message.resolve('it tapped')
        } catch (error) {
          message.resolve(withoutPlaces((error as Error).message))
        }
      }
      void Promise.resolve()
        .then(() => undefined)
        .then(tapLater)
    })
    const next = onSite('next', async () => void (await message.promise))
    await serve({ sites: [{ name: 'a', plugins: [forgets, next] }] })
    expect(await message.promise).toBe(sealed('forgets', 'deliver'))
  })

  test('and nobody taps in the name of another plugin', async () => {
    let first: PluginSite | undefined
    const one = onSite('one', site => {
      first ??= site
    })
    const two = onSite('two', () => first!.hooks.deliver.tap('a', nothing))
    expect(await failure([one, two] as never)).toBe(
      `config: plugins[0][1]: plugin "two", site() for "default": ${sealed('one', 'deliver')}`,
    )
  })
})

describe('the order of taps', () => {
  const says = (name: string, stage: number, heard: string[]) =>
    definePlugin({
      name,
      repeatable: true,
      site: site => site.hooks.handle.tap({ name, stage }, () => void heard.push(name)),
    })()

  test('is by stage, then by config, root before site', async () => {
    const heard: string[] = []
    const { ask, server } = await serve({
      plugins: [says('root-late', 10, heard), says('root', 0, heard), says('root-two', 0, heard)],
      sites: [{ name: 's', plugins: [says('site', 0, heard), says('site-early', -10, heard)] }],
    })
    await ask()
    const order = ['site-early', 'root', 'root-two', 'site', 'root-late']
    expect(heard).toEqual(order)
    const listed = server.generation.taps().filter(({ hook, site }) => hook === 'handle' && site === 's')
    expect(listed.map(tap => tap.plugin)).toEqual(order)
  })

  test('is the same for sync, promise and callback taps', async () => {
    const heard: string[] = []
    const mixed = onSite('mixed', ({ hooks: { handle } }) => {
      handle.tapAsync({ name: 'c', stage: 3 }, (_request, callback) =>
        setImmediate(() => callback(null, void heard.push('c'))),
      )
      handle.tapPromise({ name: 'b', stage: 2 }, async () => void heard.push('b'))
      handle.tap({ name: 'a', stage: 1 }, () => void heard.push('a'))
      handle.tap({ name: 'd', stage: 4 }, () => void heard.push('d'))
    })
    await (await serve([mixed])).ask()
    expect(heard).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('the owner of a tap', () => {
  test('is the listed name of its instance', async () => {
    const repeatable = definePlugin({
      name: 'files',
      repeatable: true,
      site: site => site.hooks.handle.tap({ name: 'files', stage: Handle.Static }, nothing),
    })
    const { server } = await serve([repeatable(), repeatable(), repeatable()])
    const owners = server.generation
      .taps()
      .filter(({ site, hook }) => site === 'default' && hook === 'handle')
    expect(owners.map(tap => tap.plugin)).toEqual(['files', 'files#2', 'files#3'])
  })

  test('is known with hook, label, stage and kind', async () => {
    const plugin = onSite('cache', ({ hooks: { handle, transform } }) => {
      handle.tapAsync({ name: 'cache', stage: Handle.Cache }, (_request, callback) => callback())
      transform.tapPromise({ name: 'cache:store', stage: Transform.Store }, async () => undefined)
    })
    const { server } = await serve({ sites: [{ name: 'a', plugins: [plugin] }] })
    const taps = server.generation.taps().filter(tap => tap.plugin === 'cache')
    expect(taps).toMatchObject([
      { site: 'a', hook: 'handle', plugin: 'cache', name: 'cache', stage: -200, kind: 'async' },
      { site: 'a', hook: 'transform', plugin: 'cache', name: 'cache:store', stage: 200, kind: 'promise' },
    ])
  })
})

test('a hook that nobody tapped is not called at all', async () => {
  const server = await createServer({
    plugins: [onSite('a', site => site.hooks.deliver.tap('a', nothing))],
    sites: [{ name: 's' }],
  })
  const { generation } = server
  const { handle, error, transform, deliver, done } = generation.sites[0]!.fired
  expect([handle, error, transform, done]).toEqual([null, null, null, null])
  expect(deliver).not.toBeNull()
  expect(generation.firedProtocolError).toBeNull()
  for (const hook of generation.hooks.all) expect(hook.fired).toBeNull()
  expect((await server.inject()).status).toBe(404)
  await server.stop()
})

describe('taps that are the same on several sites', () => {
  const sites = ['a', 'b', 'c'].map(name => ({ name, hosts: [name] }))
  const mark =
    (name: string): NonNullable<Parameters<SiteHooks['deliver']['tap']>[1]> =>
    (response, request) =>
      void response.append('x-marks', `${name} ${request.site.name}`)
  const [first, second, third] = [mark('1'), mark('2'), mark('3')]
  const fired = async (plugins: Plugins) => {
    const { server, ask } = await serve({ plugins, sites })
    const hooks = server.generation.sites.map(site => site.fired.deliver)
    const marks = async (host: string) => (await ask({ headers: { host } })).headers.get('x-marks')
    return { hooks, marks }
  }

  test('are fired as one hook', async () => {
    const { hooks, marks } = await fired([
      onSite('one', ({ hooks }) => {
        hooks.deliver.tap({ name: 'late', stage: 1 }, second)
        hooks.deliver.tap('early', first)
      }),
      onSite('two', ({ hooks }) => hooks.deliver.tap('more', third)),
    ])
    expect(new Set(hooks).size).toBe(1)
    expect([await marks('a'), await marks('c')]).toEqual(['1 a, 3 a, 2 a', '1 c, 3 c, 2 c'])
  })

  test.each<[string, (site: PluginSite) => void]>([
    ['a function of its own', ({ name, hooks }) => hooks.deliver.tap('x', name === 'b' ? mark('1') : first)],
    [
      'another order',
      ({ name, hooks }) => {
        for (const each of name === 'b' ? [second, first] : [first, second]) hooks.deliver.tap('x', each)
      },
    ],
    [
      'another stage',
      ({ name, hooks }) => hooks.deliver.tap({ name: 'x', stage: name === 'b' ? 1 : 0 }, first),
    ],
    ['another name', ({ name, hooks }) => hooks.deliver.tap(`x${name === 'b' ? 1 : 0}`, first)],
    [
      'one more',
      ({ name, hooks }) => {
        hooks.deliver.tap('x', first)
        if (name === 'b') hooks.deliver.tap('y', second)
      },
    ],
    [
      'one less',
      ({ name, hooks }) => {
        hooks.deliver.tap('x', first)
        if (name !== 'b') hooks.deliver.tap('y', second)
      },
    ],
  ])('but not with %s', async (_, tap) => {
    const [a, b, c] = (await fired([onSite('one', tap)])).hooks
    expect([a === b, a === c]).toEqual([false, true])
  })

  test('are of one server each', async () => {
    const servers = new Set<PluginServer>()
    const start = (server: PluginServer) => void servers.add(server)
    const instance = () => onServer('one', ({ hooks }) => hooks.start.tap('one', start))
    const { server } = await serve({
      sites: [
        { name: 'a', plugins: [instance()] },
        { name: 'b', hosts: ['b'], plugins: [instance()] },
      ],
    })
    await server.listen()
    expect(servers.size).toBe(2)
  })

  test('are of their own plugin and scope', async () => {
    const bad = () => {
      throw new Error('no')
    }
    const tap = ({ hooks }: PluginSite) => hooks.transform.tap({ name: 'x', stage: 0 }, bad)
    const { reports, ask } = await serve({
      plugins: [scope({ hosts: ['b'] }, [onSite('one', tap)]), scope({ hosts: ['c'] }, [onSite('two', tap)])],
      sites,
    })
    for (const host of ['a', 'b', 'c']) await ask({ headers: { host } })
    expect(reports.map(({ plugin, site }) => [plugin, site])).toEqual([
      ['one', 'b'],
      ['two', 'c'],
    ])
  })
})

describe('guards come before the cache, whatever the order of the config', () => {
  const guard = onSite('guard', site =>
    site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard }, request =>
      request.headers.has('authorization') ? undefined : HttpResponse.error(401),
    ),
  )
  const cache = onSite('cache', site => {
    const store = new Map<string, HttpResponse>()
    site.hooks.handle.tap({ name: 'cache', stage: Handle.Cache }, ({ path }) => store.get(path))
    site.hooks.transform.tap({ name: 'cache:store', stage: Transform.Store }, (response, { path }) => {
      if (response.status === 200) store.set(path, response.fork().transformed())
    })
  })
  /** Like a router: it finds the route and runs its guards at Match, and the handler at Route. */
  const matching = onSite('matching', ({ hooks: { handle } }) => {
    handle.tapPromise({ name: 'matching', stage: Handle.Match }, async request =>
      request.headers.has('authorization') ? undefined : HttpResponse.error(403),
    )
    handle.tap({ name: 'matching:run', stage: Handle.Route }, () => HttpResponse.text('secret'))
  })
  const route = onSite('route', site =>
    site.hooks.handle.tap({ name: 'route', stage: Handle.Route }, () => HttpResponse.text('secret')),
  )

  test.each([
    ['guard first', [guard, cache, route], 401],
    ['cache first', [cache, route, guard], 401],
    ['a route with guards of its own, behind the cache', [cache, matching], 403],
  ])('%s', async (_name, plugins, refused) => {
    const { ask } = await serve({ sites: [{ name: 's', plugins }] })
    const headers = { authorization: 'x' }
    expect((await ask({ headers })).text()).toBe('secret')
    expect((await ask({ headers })).text()).toBe('secret')
    const stranger = await ask()
    expect([stranger.status, stranger.text().includes('secret')]).toEqual([refused, false])
  })

  test('and an auth plugin at the root covers a site that has its own cache', async () => {
    const { ask } = await serve({ plugins: [guard], sites: [{ name: 's', plugins: [cache, route] }] })
    await ask({ headers: { authorization: 'x' } })
    expect((await ask()).status).toBe(401)
  })
})
