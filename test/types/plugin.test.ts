import {
  Connect,
  definePlugin,
  Handle,
  type HttpError,
  type HttpRequest,
  HttpResponse,
  type PluginServer,
  type PluginSite,
  type Plugins,
  type StandardSchema,
  scope,
  Transform,
} from 'rawhttp'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'

// Nothing here is served: what counts is that tsc takes it, and refuses what is marked.
const typed = (_plugin: unknown) => undefined

describe('the options of a plugin', () => {
  test('from a function: input is what it takes, settings what it gives', () => {
    const plugin = definePlugin({
      name: 'p',
      options: ({ retryAfter = 120 }: { readonly retryAfter?: number } = {}) => ({ seconds: retryAfter }),
      server(server, settings) {
        expectTypeOf(server).toEqualTypeOf<PluginServer>()
        expectTypeOf(settings).toEqualTypeOf<{ seconds: number }>()
      },
      site(site, settings) {
        expectTypeOf(site).toEqualTypeOf<PluginSite>()
        expectTypeOf(settings).toEqualTypeOf<{ seconds: number }>()
      },
    })
    expectTypeOf(plugin).parameters.toEqualTypeOf<[options?: { readonly retryAfter?: number } | undefined]>()
    plugin()
    plugin({ retryAfter: 5 })
    // @ts-expect-error seconds are a number
    plugin({ retryAfter: '5' })
    // @ts-expect-error no such option
    plugin({ retry: 5 })
  })

  test('from a function of several arguments', () => {
    const plugin = definePlugin({
      name: 'p',
      options: (prefix: string, routes: readonly string[] = []) => ({ prefix, routes }),
    })
    plugin('/api')
    plugin('/api', ['a'])
    // @ts-expect-error the prefix is missing
    plugin()
  })

  test('from a Standard Schema: its input and its output', () => {
    const schema = v.strictObject({
      root: v.pipe(v.string(), v.transform(Number)),
      deep: v.optional(v.boolean(), true),
    })
    const plugin = definePlugin({
      name: 'p',
      options: schema,
      site(_site, settings) {
        expectTypeOf(settings).toEqualTypeOf<{ root: number; deep: boolean }>()
      },
    })
    plugin({ root: '5' })
    // @ts-expect-error the input is text
    plugin({ root: 5 })
    // @ts-expect-error the root is missing
    plugin({})
    // @ts-expect-error the options are missing
    plugin()
  })

  test('from a schema that may be left out', () => {
    const plugin = definePlugin({
      name: 'p',
      options: v.optional(v.strictObject({ level: v.optional(v.number(), 6) }), {}),
      site(_site, { level }) {
        expectTypeOf(level).toEqualTypeOf<number>()
      },
    })
    plugin()
    plugin({ level: 1 })
  })

  test('from a schema of another library', () => {
    const schema = {} as StandardSchema<{ a: string } | undefined, { b: number }>
    const make = () =>
      definePlugin({
        name: 'p',
        options: schema,
        server(_server, settings) {
          expectTypeOf(settings).toEqualTypeOf<{ b: number }>()
        },
      })
    expectTypeOf(make).returns.parameters.toEqualTypeOf<[options?: { a: string } | undefined]>()
  })

  test('of a plugin without any are none', () => {
    const plugin = definePlugin({
      name: 'p',
      site(_site, settings) {
        expectTypeOf(settings).toEqualTypeOf<undefined>()
      },
    })
    plugin()
    // @ts-expect-error it has no options
    plugin({ a: 1 })
  })

  test('are read-only in the definition, whose parts have names', () => {
    // @ts-expect-error a plugin has a name
    const nameless = () => definePlugin({ site: () => undefined })
    // @ts-expect-error misspelt
    const misspelt = () => definePlugin({ name: 'p', sites: () => undefined })
    typed([nameless, misspelt])
  })
})

test('a list takes entries, bare factories that need nothing, scopes, lists, names and falsy values', () => {
  const bare = definePlugin({ name: 'bare' })
  const optional = definePlugin({ name: 'optional', options: (size = 1) => size })
  const required = definePlugin({ name: 'required', options: (size: number) => size })
  const schema = definePlugin({ name: 'schema', options: v.object({ root: v.string() }) })
  const isOn = Math.random() > 1
  const list: Plugins = [
    bare,
    bare(),
    optional,
    optional(2),
    required(1),
    [bare, [optional]],
    isOn && bare(),
    isOn ? bare : undefined,
    null,
    scope({ path: '/a/*', methods: ['GET'], hosts: ['a.example'] }, [bare]),
    'static',
    ['static', { root: '.' }],
  ]
  // @ts-expect-error it needs a size
  const missing: Plugins = [required]
  // @ts-expect-error it needs a root
  const rootless: Plugins = [schema]
  // @ts-expect-error so it does in a scope
  scope({ path: '/a/*' }, [required])
  // @ts-expect-error misspelt
  scope({ paths: '/a/*' }, [bare])
  // @ts-expect-error an object is no plugin
  const object: Plugins = [{ name: 'static' }]
  typed([list, missing, rootless, object])
})

describe('a tap', () => {
  const stage = Handle.Route

  test('of handle answers with a response or nothing', () => {
    typed(({ hooks: { handle } }: PluginSite) => {
      handle.tap({ name: 'a', stage }, request => {
        expectTypeOf(request).toEqualTypeOf<HttpRequest>()
        return HttpResponse.text('a')
      })
      handle.tap({ name: 'a', stage }, () => undefined)
      handle.tap({ name: 'a', stage }, () => {})
      handle.tap({ name: 'a', stage }, ({ path }) => (path === '/' ? HttpResponse.text('a') : undefined))
      handle.tapPromise({ name: 'a', stage }, async () => HttpResponse.text('a'))
      handle.tapPromise({ name: 'a', stage }, async () => {})
      handle.tapAsync({ name: 'a', stage }, (request, callback) => {
        expectTypeOf(request).toEqualTypeOf<HttpRequest>()
        callback()
        callback(null, HttpResponse.text('a'))
        callback(new Error('no'))
        // @ts-expect-error text is no response
        callback(null, 'a')
      })
      // @ts-expect-error text is no response
      handle.tap({ name: 'a', stage }, () => 'a')
      // @ts-expect-error nor later
      handle.tapPromise({ name: 'a', stage }, async () => 'a')
    })
  })

  test('of transform answers with a response or nothing, one of deliver with nothing', () => {
    typed(({ hooks: { transform, deliver } }: PluginSite) => {
      transform.tap({ name: 'a', stage: Transform.Shape }, (response, request) => {
        expectTypeOf(response).toEqualTypeOf<HttpResponse>()
        expectTypeOf(request).toEqualTypeOf<HttpRequest>()
        return response.set('x-a', '1')
      })
      transform.tap({ name: 'a', stage: Transform.Shape }, response => void response.set('x-a', '1'))
      deliver.tap('a', response => void response.set('x-a', '1'))
      // @ts-expect-error deliver changes what it is given
      deliver.tap('a', response => response.set('x-a', '1'))
      // @ts-expect-error true is no response
      transform.tap({ name: 'a', stage: Transform.Shape }, () => true)
    })
  })

  test('of error and protocolError gets the error, one of done and report only watches', () => {
    typed(({ hooks, server }: PluginSite) => {
      hooks.error.tap('a', (error, request) => {
        expectTypeOf(error).toEqualTypeOf<HttpError>()
        return HttpResponse.json({ path: request.path }, error.status)
      })
      server.hooks.protocolError.tap('a', ({ status }) => HttpResponse.error(status))
      hooks.done.tap('a', (_request, response, outcome) => {
        expectTypeOf(response).toEqualTypeOf<HttpResponse | null>()
        expectTypeOf(outcome.result).toEqualTypeOf<
          'sent' | 'aborted' | 'failed' | 'timeout' | 'upgraded' | 'refused'
        >()
      })
      // @ts-expect-error it only watches
      hooks.done.tap('a', () => HttpResponse.text('a'))
      // @ts-expect-error it only watches
      server.hooks.report.tap('a', () => 1)
    })
  })

  test('that is sync gives no promise, on any hook', () => {
    typed(({ hooks, server }: PluginSite) => {
      // @ts-expect-error an async function needs tapPromise
      hooks.handle.tap({ name: 'a', stage }, async () => HttpResponse.text('a'))
      // @ts-expect-error also when it answers nothing
      hooks.handle.tap({ name: 'a', stage }, async () => {})
      // @ts-expect-error so does one of transform
      hooks.transform.tap({ name: 'a', stage: 0 }, async () => {})
      // @ts-expect-error this hook waits for nobody
      hooks.error.tap('a', async () => HttpResponse.text('a'))
      // @ts-expect-error nor does this one
      hooks.deliver.tap('a', async () => {})
      // @ts-expect-error nor does this one
      hooks.done.tap('a', async () => {})
      // @ts-expect-error start waits, but by tapPromise
      server.hooks.start.tap('a', async () => {})
      // @ts-expect-error so does stop
      server.hooks.stop.tap('a', async () => {})
      // @ts-expect-error this hook waits for nobody
      server.hooks.connection.tap({ name: 'a', stage: Connect.Filter }, async () => {})
      // @ts-expect-error nor does this one
      server.hooks.protocolError.tap('a', async () => HttpResponse.text('a'))
      // @ts-expect-error nor does this one
      server.hooks.report.tap('a', async () => {})
      // @ts-expect-error nor does this one
      server.hooks.retire.tap('a', async () => {})
    })
  })

  test('of a sync hook has no async form', () => {
    typed(({ hooks, server }: PluginSite) => {
      // @ts-expect-error this hook is sync
      hooks.deliver.tapPromise('a', async () => {})
      // @ts-expect-error this hook is sync
      hooks.done.tapAsync('a', () => {})
      // @ts-expect-error this hook is sync
      server.hooks.connection.tapPromise({ name: 'a', stage: 0 }, async () => {})
    })
  })

  test('of handle, transform and connection must name its stage, the others may', () => {
    typed(({ hooks, server }: PluginSite) => {
      // @ts-expect-error a guard without a stage would stand behind the cache
      hooks.handle.tap('a', () => {})
      // @ts-expect-error a label alone is not enough
      hooks.handle.tapPromise({ name: 'a' }, async () => {})
      // @ts-expect-error nor is undefined a stage
      hooks.handle.tapAsync({ name: 'a', stage: undefined }, (_request, callback) => callback())
      // @ts-expect-error so on transform
      hooks.transform.tap('a', () => {})
      // @ts-expect-error and on connection
      server.hooks.connection.tap('a', () => {})
      hooks.deliver.tap('a', () => {})
      hooks.deliver.tap({ name: 'a' }, () => {})
      hooks.deliver.tap({ name: 'a', stage: 5 }, () => {})
      server.hooks.start.tapPromise('a', async server => {
        expectTypeOf(server).toEqualTypeOf<PluginServer>()
      })
    })
  })

  test('is all that a plugin may do with a hook', () => {
    typed(({ hooks }: PluginSite) => {
      // @ts-expect-error firing belongs to the kernel
      hooks.handle.callAsync
      // @ts-expect-error so does watching others
      hooks.handle.intercept
      // @ts-expect-error there is a stage for that
      hooks.handle.tap({ name: 'a', stage, before: 'b' }, () => {})
      // @ts-expect-error no such hook
      hooks.nope
      // @ts-expect-error a hook of the server
      hooks.start
    })
  })
})
