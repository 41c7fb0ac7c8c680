import {
  type Config,
  createServer,
  type Diagnostic,
  definePlugin,
  Handle,
  HttpResponse,
  type KeepOptions,
} from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KeptValues } from '../../core/keep.ts'
import { onServer, onSite, serve } from '../support/in-memory.ts'

interface Store {
  readonly id: number
  limit: number
}

/** A plugin that keeps a store, and tells what became of it. */
function keeping() {
  const log: string[] = []
  let made = 0
  const plugin = definePlugin({
    name: 'keeping',
    options: ({ limit }: { readonly limit: number }) => ({ limit }),
    site(site, { limit }) {
      const store = site.keep<Store>('store', {
        create: () => {
          log.push(`create ${++made} for ${site.name}`)
          return { id: made, limit }
        },
        adopt: value => {
          value.limit = limit
          log.push(`adopt ${value.id}`)
        },
        dispose: value => void log.push(`dispose ${value.id}`),
      })
      site.server.hooks.stop.tap(
        'stop',
        (_server, reason) => void log.push(`stop ${reason} with ${store().id}`),
      )
      site.hooks.handle.tap({ name: 'keeping', stage: 0 }, () => HttpResponse.json(store()))
    },
  })
  return { plugin, log }
}

const on = (name: string, ...plugins: NonNullable<Config['plugins']>): Config => ({
  sites: [{ name, plugins }],
})

describe('a kept value', () => {
  test('is made before start, once, and is there until stop', async () => {
    const { plugin, log } = keeping()
    const { server, ask } = await serve(on('a', plugin({ limit: 1 })))
    expect(log).toEqual([])
    expect((await ask()).json()).toEqual({ id: 1, limit: 1 })
    await server.stop()
    expect(log).toEqual(['create 1 for a', 'stop shutdown with 1', 'dispose 1'])
  })

  test('is passed on by a reload, and adopted when it has succeeded', async () => {
    const { plugin, log } = keeping()
    const { server, ask, reload } = await serve(on('a', plugin({ limit: 1 })))
    await ask()
    await reload(on('a', plugin({ limit: 2 })))
    expect((await ask()).json()).toEqual({ id: 1, limit: 2 })
    expect(log).toEqual(['create 1 for a', 'adopt 1', 'stop reload with 1'])
    await server.stop()
    expect(log.slice(3)).toEqual(['stop shutdown with 1', 'dispose 1'])
  })

  test('hears at a reload whether its site is what it was', async () => {
    const told: boolean[] = []
    const plugin = definePlugin({
      name: 'told',
      options: (limit: number) => limit,
      site: site =>
        void site.keep('store', {
          create: () => ({}),
          adopt: (_value, { isSameConfig }) => void told.push(isSameConfig),
        }),
    })
    const server = await createServer(on('a', plugin(1)))
    onTestFinished(() => server.stop())
    for (const limit of [1, 2, 2]) await server.reload(on('a', plugin(limit)))
    expect(told).toEqual([true, false, true])
  })

  test('is disposed of when the next generation does not claim it', async () => {
    const { plugin, log } = keeping()
    const { ask, reload } = await serve(on('a', plugin({ limit: 1 })))
    await ask()
    await reload(on('b', plugin({ limit: 1 })))
    await ask()
    expect(log).toEqual(['create 1 for a', 'create 2 for b', 'stop reload with 1', 'dispose 1'])
  })

  test('is told apart by site and by instance', async () => {
    const { plugin, log } = keeping()
    const twice = { plugins: [plugin({ limit: 1 })], sites: [{ name: 'a' }, { name: 'b', hosts: ['b'] }] }
    const { server } = await serve(twice)
    await server.inject()
    expect(log).toEqual(['create 1 for a', 'create 2 for b', 'create 3 for -'])
  })

  test('stays with its instance among several of one plugin', async () => {
    let made = 0
    const files = definePlugin({
      name: 'files',
      repeatable: true,
      server(server) {
        const table = server.keep('table', { create: () => ++made })
        server.hooks.start.tap('a', () => void seen.push(table()))
      },
    })
    const seen: number[] = []
    const { server, reload } = await serve([files(), files()])
    await server.inject()
    await reload({ plugins: [files(), files()] })
    expect(seen).toEqual([1, 2, 1, 2])
  })

  test('is not at hand before start', async () => {
    const plugin = onServer('early', server => void server.keep('store', { create: () => 1 })())
    await expect(serve([plugin])).rejects.toThrow(
      'plugin "early", server(): keep("store") has its value from start to stop',
    )
  })

  test('is kept once by a name, and while the set-up runs', async () => {
    const twice = onSite('twice', site => {
      site.keep('store', { create: () => 1 })
      site.keep('store', { create: () => 2 })
    })
    await expect(serve([twice])).rejects.toThrow(
      'plugin "twice", site() for "default": keep("store") was called twice',
    )
    const late = onServer('late', server => {
      server.hooks.start.tap('a', () => void server.keep('store', { create: () => 1 }))
    })
    const { server } = await serve([late])
    await expect(server.inject()).rejects.toThrow(
      'plugin "late", start tap "a": keep("store") came too late: call it in server() or site()',
    )
  })
})

describe('a reload that fails', () => {
  test('disposes of what it made, and leaves what it took over', async () => {
    const { plugin, log } = keeping()
    const { ask, reload } = await serve(on('a', plugin({ limit: 1 })))
    await ask()
    const fails = onServer('fails', ({ hooks, keep }) => {
      keep('own', { create: () => 'own', dispose: () => void log.push('dispose own') })
      hooks.start.tap('a', () => {
        throw new Error('disk full')
      })
    })
    await expect(reload(on('a', plugin({ limit: 2 }), fails))).rejects.toThrow('disk full')
    expect(log).toEqual(['create 1 for a', 'stop failed with 1', 'dispose own'])
    expect((await ask()).json()).toEqual({ id: 1, limit: 1 })
  })

  test('in a create names the plugin, and disposes of what was made before', async () => {
    const log: string[] = []
    const keeps = (name: string, options: KeepOptions<string>) =>
      onServer(name, server => void server.keep('store', options))
    const { server, reload } = await serve([])
    await server.inject()
    const fine = keeps('fine', { create: () => 'fine', dispose: value => void log.push(value) })
    const broken = keeps('broken', {
      create: () => {
        throw new Error('no memory')
      },
      dispose: () => void log.push('broken'),
    })
    await expect(reload({ plugins: [fine, broken] })).rejects.toThrow(
      'plugin "broken", keep("store"): create failed: no memory',
    )
    expect(log).toEqual(['fine'])
  })
})

test('an adopt or dispose that fails is reported, and those of others still run', async () => {
  const log: string[] = []
  const boom = () => {
    throw new Error('boom')
  }
  const plugins = [
    onServer('one', ({ keep }) => void keep('a', { create: () => 1, adopt: boom, dispose: boom })),
    onServer(
      'two',
      ({ keep }) =>
        void keep('b', {
          create: () => 2,
          adopt: () => void log.push('adopt'),
          dispose: () => void log.push('dispose'),
        }),
    ),
  ]
  const { server, reports, reload } = await serve(plugins)
  await server.inject()
  await reload({ plugins })
  await server.stop()
  expect(log).toEqual(['adopt', 'dispose'])
  expect(reports).toMatchObject([
    {
      code: 'KEEP_FAILED',
      message: 'plugin "one", keep("a"): adopt failed: boom',
      plugin: 'one',
      severity: 'error',
    },
    { code: 'KEEP_FAILED', message: 'plugin "one", keep("a"): dispose failed: boom', plugin: 'one' },
  ])
})

describe('over several generations', () => {
  const reports: Diagnostic[] = []
  const generation = (log: string[], ...names: string[]) => {
    const kept = new KeptValues(diagnostic => void reports.push(diagnostic))
    const keep = kept.keeper('p', 'p')
    for (const name of names) keep(name, { create: () => name, dispose: () => void log.push(name) })
    return kept
  }

  test('a value lives as long as any generation that claimed it, in whatever order they end', () => {
    const log: string[] = []
    const [one, two, three] = [generation(log, 'store'), generation(log, 'store'), generation(log)]
    one.prepare(null)
    two.prepare(one)
    three.prepare(two)
    // The second one is idle at once; a long request still runs in the first one.
    two.dispose()
    expect(log).toEqual([])
    one.dispose()
    expect(log).toEqual(['store'])
  })

  test('a value that one of them let go of is made anew', () => {
    const log: string[] = []
    const [one, two, three] = [generation(log, 'store'), generation(log), generation(log, 'store')]
    one.prepare(null)
    two.prepare(one)
    three.prepare(two)
    one.dispose()
    expect(log).toEqual(['store'])
    three.dispose()
    expect(log).toEqual(['store', 'store'])
  })

  test('ending twice is ending once, and one that never began has nothing to end', () => {
    const log: string[] = []
    const one = generation(log, 'store')
    one.dispose()
    expect(log).toEqual([])
    one.prepare(null)
    one.dispose()
    one.dispose()
    expect(log).toEqual(['store'])
    expect(reports).toEqual([])
  })
})

test('a request in flight has its value until it ends, also when no later generation wants it', async () => {
  const log: string[] = []
  const { promise: goOn, resolve } = Promise.withResolvers<void>()
  const plugin = onSite('p', site => {
    const value = site.keep('v', {
      create: () => ({ isOpen: true }),
      dispose: each => {
        each.isOpen = false
        log.push('disposed')
      },
    })
    site.hooks.handle.tapPromise({ name: 'p', stage: Handle.Route }, async () => {
      await goOn
      return HttpResponse.json(value())
    })
  })
  const { ask, reload } = await serve(on('a', plugin))
  const slow = ask()
  await reload({})
  expect(log).toEqual([])
  resolve()
  expect((await slow).json()).toEqual({ isOpen: true })
  await expect.poll(() => log).toEqual(['disposed'])
})
