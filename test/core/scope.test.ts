import { definePlugin, Handle, HttpResponse, type PluginItem, type ScopeOptions, scope } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { compileScopes } from '../../core/scope.ts'
import { onSite, requestOf, serve } from '../support/in-memory.ts'

interface Asked {
  readonly method?: string
  readonly host?: string
}

const admits = (
  to: ScopeOptions | readonly ScopeOptions[],
  target: string,
  { method = 'GET', host = 'a' }: Asked = {},
) => compileScopes([to].flat())!(requestOf({ method, target, headers: { host } }))

describe('a scope by path', () => {
  test.each([
    ['/admin/*', '/admin', true],
    ['/admin/*', '/admin/', true],
    ['/admin/*', '/admin/x/y', true],
    ['/admin/*', '/admin?x', true],
    ['/admin/*', '/administrator', false],
    ['/admin/*', '/', false],
    ['/admin', '/admin', true],
    ['/admin', '/admin/', false],
    ['/admin', '/admin/x', false],
    ['/*', '/', true],
    ['/*', '/anything', true],
    ['/', '/', true],
    ['/', '/x', false],
  ])('%s for %s: %s', (path, target, expected) => {
    expect(admits({ path }, target)).toBe(expected)
    expect(admits({ path: ['/other', path] }, target)).toBe(expected)
  })

  test.each([
    '/admin/x',
    '//admin//x',
    '/./admin/x',
    '/y/../admin/x',
    '/%61dmin/x',
    '/%61%64%6d%69%6E/x',
    '/admin/./x',
    '/a/b/../../admin/x',
  ])('sees %s as the path that it is', target => {
    expect(admits({ path: '/admin/*' }, target)).toBe(true)
    expect(admits({ path: '/admin/x' }, target)).toBe(true)
  })

  test.each([
    ['/%61dmin/*', '/admin/x'],
    ['//admin//*', '/admin/x'],
    ['/admin/./*', '/admin/x'],
    ['/caf\xe9/*', '/caf%C3%A9/x'],
    ['/a|b', '/a%7Cb'],
    ['/a%2fb', '/a%2Fb'],
  ])('written as %s is brought to the form of paths', (path, target) => {
    expect(admits({ path }, target)).toBe(true)
  })

  test('takes an escaped slash for no separator', () => {
    expect(admits({ path: '/a/b' }, '/a%2Fb')).toBe(false)
    expect(admits({ path: '/a/*' }, '/a%2Fb')).toBe(false)
  })

  test.each([
    ['/admin*', 'a * stands only at the end and for all below: /admin/*'],
    ['/*/admin', 'a * stands only at the end and for all below: /admin/*'],
    ['/**', 'a * stands only at the end and for all below: /admin/*'],
    ['/admin/..', 'no path can match it'],
    ['/admin/.', 'no path can match it'],
    ['/../admin/*', 'PATH-CLIMB: the path climbs above its root'],
    ['/100%', 'PATH-ESCAPE: the path has a broken percent escape or an escaped NUL'],
    ['/a#b', 'PATH-CHAR: the path has a character that must be escaped'],
  ])('%s would guard nothing, and is refused', async (path, reason) => {
    const sentence = `scope: path ${JSON.stringify(path)}: ${reason}`
    expect(() => compileScopes([{ path }])).toThrow(sentence)
    const guard = onSite('guard', () => undefined)
    await expect(serve([scope({ path }, [guard])])).rejects.toThrow(
      `plugin "guard", site() for "default": ${sentence}`,
    )
  })
})

describe('a scope by method', () => {
  test.each([
    [['GET'], 'GET', true],
    [['GET'], 'HEAD', true],
    [['GET'], 'POST', false],
    [['HEAD'], 'GET', false],
    [['POST', 'PUT'], 'PUT', true],
  ])('%j for %s: %s', (methods, method, expected) => {
    expect(admits({ methods }, '/', { method })).toBe(expected)
  })
})

describe('a scope by host', () => {
  test.each([
    [['a.example'], 'a.example', true],
    [['A.example'], 'A.EXAMPLE:8080', true],
    [['a.example'], 'b.example', false],
    [['*.example'], 'a.example', true],
    [['*.example'], 'a.b.example', true],
    [['*.example'], 'example', false],
    [['*.example'], 'notexample', false],
    [['*'], 'whatever', true],
    [['[::1]'], '[::1]:80', true],
  ])('%j for %s: %s', (hosts, host, expected) => {
    expect(admits({ hosts }, '/', { host })).toBe(expected)
  })
})

test('parts and nested scopes all have to admit a request', () => {
  const to = { path: '/a/*', methods: ['GET'], hosts: ['h'] }
  expect(admits(to, '/a/b', { host: 'h' })).toBe(true)
  expect(admits(to, '/b', { host: 'h' })).toBe(false)
  expect(admits(to, '/a/b', { host: 'x' })).toBe(false)
  expect(admits(to, '/a/b', { host: 'h', method: 'POST' })).toBe(false)
  expect(admits([{ path: '/a/*' }, { path: ['/a/b', '/c'] }], '/a/b')).toBe(true)
  expect(admits([{ path: '/a/*' }, { path: ['/a/b', '/c'] }], '/c')).toBe(false)
})

test('without scopes there is no test to pay for', () => {
  expect(compileScopes([])).toBeNull()
  expect(compileScopes([{}])).toBeNull()
})

describe('the taps of a plugin in a scope', () => {
  /** Taps every hook that has a request, in every way that the hook has. */
  const witness = (seen: string[]) =>
    definePlugin({
      name: 'witness',
      site({ hooks, server }) {
        const see = (hook: string) => void seen.push(hook)
        hooks.handle.tap({ name: 'a', stage: 0 }, () => see('handle sync'))
        hooks.handle.tapPromise({ name: 'b', stage: 1 }, async () => see('handle promise'))
        hooks.handle.tapAsync({ name: 'c', stage: 2 }, (_request, callback) =>
          callback(null, see('handle callback')),
        )
        hooks.error.tap('d', () => see('error'))
        hooks.transform.tap({ name: 'e', stage: 0 }, () => see('transform sync'))
        hooks.transform.tapPromise({ name: 'f', stage: 1 }, async () => see('transform promise'))
        hooks.transform.tapAsync({ name: 'g', stage: 2 }, (_response, _request, callback) =>
          callback(null, see('transform callback')),
        )
        hooks.deliver.tap('h', () => see('deliver'))
        hooks.done.tap('i', () => see('done'))
        server.hooks.start.tap('j', () => see('start'))
      },
    })
  const all = [
    'handle sync',
    'handle promise',
    'handle callback',
    'error',
    'transform sync',
    'transform promise',
    'transform callback',
    'deliver',
    'done',
  ]

  test.each<[string, (plugin: PluginItem) => PluginItem]>([
    ['path', plugin => scope({ path: '/in/*' }, [plugin])],
    [
      'method and host',
      plugin => scope({ hosts: ['in.example'] }, [scope({ methods: ['DELETE'] }, [plugin])]),
    ],
  ])('run for its requests and no others: by %s', async (_by, narrowed) => {
    const seen: string[] = []
    const { ask } = await serve({ sites: [{ name: 's', plugins: [narrowed(witness(seen)())] }] })
    expect((await ask({ url: '/out', headers: { host: 'out.example' } })).status).toBe(404)
    expect(seen).toEqual(['start'])
    await ask({ url: '/in/x', method: 'DELETE', headers: { host: 'in.example' } })
    expect(seen).toEqual(['start', ...all])
  })

  test('that are skipped let the others answer', async () => {
    const plugins = [
      scope({ path: '/in' }, [
        onSite('in', ({ hooks: { handle } }) => {
          handle.tapPromise({ name: 'in', stage: Handle.Guard }, async () => HttpResponse.error(401))
        }),
      ]),
      onSite('all', site => site.hooks.handle.tap({ name: 'all', stage: 0 }, () => HttpResponse.text('all'))),
    ]
    const { ask } = await serve(plugins)
    expect([(await ask('/in')).status, (await ask('/out')).text()]).toEqual([401, 'all'])
  })

  test('see the answer of a request that they have prepared, wherever it was led', async () => {
    const seen: string[] = []
    const prepares = definePlugin({
      name: 'prepares',
      site({ hooks: { handle, deliver, done } }) {
        handle.tap({ name: 'a', stage: Handle.Prepare }, ({ path }) => void seen.push(`prepare ${path}`))
        handle.tap({ name: 'b', stage: Handle.Guard }, ({ path }) => void seen.push(`guard ${path}`))
        deliver.tap('c', (_response, { path }) => void seen.push(`deliver ${path}`))
        done.tap('d', ({ path }) => void seen.push(`done ${path}`))
      },
    })
    const moves = onSite('moves', site =>
      site.hooks.handle.tap({ name: 'moves', stage: Handle.Early - 5 }, request => {
        if (request.path === '/in/x') request.rewrite('/out')
      }),
    )
    const { ask } = await serve([moves, scope({ path: '/in/*' }, [prepares()])])
    await ask('/in/x')
    expect(seen).toEqual(['prepare /in/x', 'deliver /out', 'done /out'])
    await ask('/out')
    expect(seen).toHaveLength(3)
    await ask('/in/y')
    expect(seen.slice(3)).toEqual(['prepare /in/y', 'guard /in/y', 'deliver /in/y', 'done /in/y'])
  })

  test('follow a rewrite', async () => {
    const plugins = [
      onSite('moves', site =>
        site.hooks.handle.tap({ name: 'moves', stage: Handle.Prepare }, request =>
          request.rewrite('/admin/x'),
        ),
      ),
      scope({ path: '/admin/*' }, [
        onSite('guard', site =>
          site.hooks.handle.tap({ name: 'g', stage: Handle.Guard }, () => HttpResponse.error(401)),
        ),
      ]),
    ]
    expect((await (await serve(plugins)).ask('/public')).status).toBe(401)
  })
})
