import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../core/config/errors.ts'
import { resolveConfig } from '../../../core/config/resolve.ts'
import type { ResolvedPlugin } from '../../../core/config/types.ts'
import { definePlugin, scope } from '../../../core/plugin.ts'
import { withoutPlaces } from '../../support/places.ts'

const a = definePlugin({ name: 'a' })
const b = definePlugin({ name: 'b' })
const many = definePlugin({
  name: 'many',
  repeatable: true,
  options: (id: number) => ({ id }),
})
const strict = definePlugin({
  name: 'strict',
  options: v.strictObject({
    root: v.string(),
    deep: v.optional(v.strictObject({ level: v.number() })),
  }),
})
const loose = (input: unknown) => (strict as unknown as (input: unknown) => unknown)(input)

const resolve = (config: unknown) => resolveConfig(config, { file: null, dir: '/' })
const names = (plugins: readonly ResolvedPlugin[] | undefined) => plugins?.map(({ name }) => name)

async function refusal(plugins: unknown): Promise<string> {
  return await resolve({ plugins }).then(
    () => 'no error',
    error => `${error.name}: ${error.message}`,
  )
}

describe('a list of plugins', () => {
  it('is flattened, falsy entries dropped and bare factories called', async () => {
    const { plugins } = await resolve({ plugins: [[a, [false, [b()]]], null, undefined, 0, '', many(1)] })
    expect(plugins.map(({ name, at, settings }) => [name, at, settings])).toEqual([
      ['a', 'plugins[0][0]', undefined],
      ['b', 'plugins[0][1][1][0]', undefined],
      ['many', 'plugins[5]', { id: 1 }],
    ])
  })

  it('gives instances of a repeatable plugin names of their own', async () => {
    const { plugins } = await resolve({ plugins: [many(1), scope({ path: '/x' }, [many(2)]), many(3)] })
    expect(names(plugins)).toEqual(['many', 'many#2', 'many#3'])
  })

  it('nests scopes from the outermost to the innermost', async () => {
    const outer = { path: '/x/*' }
    const inner = { methods: ['GET'], hosts: ['X.org'] }
    const { plugins } = await resolve({ plugins: [scope(outer, [a, scope(inner, [[b]])])] })
    expect(plugins.map(({ name, scopes, at }) => [name, scopes, at])).toEqual([
      ['a', [outer], 'plugins[0].plugins[0]'],
      ['b', [outer, { methods: ['GET'], hosts: ['x.org'] }], 'plugins[0].plugins[1].plugins[0][0]'],
    ])
  })

  it('lets a plugin stand in a scope as well as beside it', async () => {
    expect(names((await resolve({ plugins: [a, scope({}, [a])] })).plugins)).toEqual(['a', 'a#2'])
  })
})

describe('the plugins of a site', () => {
  const site = async (plugins: unknown, rest: object) =>
    names((await resolve({ plugins, sites: [{ name: 's', ...rest }] })).sites[0]?.plugins)

  it('are the root ones and then its own', async () => {
    expect(await site([a], { plugins: [b] })).toEqual(['a', 'b'])
  })

  it('are the same instances on every site', async () => {
    const config = await resolve({ plugins: [a], sites: [{ name: 's' }, { name: 't', hosts: ['t'] }] })
    expect(config.sites[0]?.plugins[0]).toBe(config.plugins[0])
    expect(config.sites[1]?.plugins[0]).toBe(config.plugins[0])
  })

  it('replace every root instance of their name, scoped ones too', async () => {
    const root = [many(1), a, scope({ path: '/x' }, [many(2)])]
    expect(await site(root, { plugins: [many(3)] })).toEqual(['a', 'many'])
  })

  it('leave out every instance of a name in without', async () => {
    const root = [many(1), a, scope({ path: '/x' }, [many(2)])]
    expect(await site(root, { without: ['many'] })).toEqual(['a'])
  })

  it('keep the listed name of a root plugin', async () => {
    expect(await site([many(1), many(2)], { plugins: [a] })).toEqual(['many', 'many#2', 'a'])
  })

  it('cannot do without a name that the root has not', async () => {
    const resolved = resolve({ plugins: [many(1)], sites: [{ name: 's', without: ['mny'] }] })
    const message =
      "config: sites[0].without[0]: expected the name of a root plugin, got 'mny'; did you mean 'many'?"
    await expect(resolved).rejects.toThrow(message)
  })
})

describe('an entry that is no plugin', () => {
  const expected = 'expected a plugin (made by definePlugin), a scope, a list of them, or a name'
  function wrapper() {}

  it.each<[item: unknown, sentence: string]>([
    [{ apply() {} }, `plugins[1]: ${expected}, got an object with the key 'apply'`],
    [42, `plugins[1]: ${expected}, got 42`],
    [wrapper, `plugins[1]: ${expected}, got the function wrapper; call it: wrapper(…)`],
    [Promise.resolve(), `plugins[1]: ${expected}, got an instance of Promise; await it first`],
    [
      { definition: {}, options: undefined, input: [] },
      `plugins[1]: ${expected}, got an object with the keys 'definition', 'options', 'input'; it was made by another copy of rawhttp; npm ls rawhttp shows the copies`,
    ],
    [[b(), [true]], `plugins[1][1][0]: ${expected}, got true`],
    [
      ['a', {}, {}],
      'plugins[1]: expected a pair [name, options], got a list of 3; a nested list may not begin with a name',
    ],
    [
      ['a', b()],
      "plugins[1]: expected a pair [name, options], got 'a' and a plugin; a nested list may not begin with a name",
    ],
    [a(), 'plugins[1]: expected a once in a list, got it again after plugins[0]; it is not repeatable'],
    [[a], 'plugins[1][0]: expected a once in a list, got it again after plugins[0]; it is not repeatable'],
    [
      scope({ path: 'admin' }, []),
      "plugins[1] (scope).path: expected a path such as '/admin/*', or a list of at least one, got 'admin'",
    ],
    [scope({ pth: '/x' } as object, []), "plugins[1] (scope).pth: unknown option; did you mean 'path'?"],
    [
      scope({ methods: ['get'] }, []),
      "plugins[1] (scope).methods[0]: expected a method in capitals such as 'GET', got 'get'",
    ],
    [
      scope({ hosts: ['x:1'] }, []),
      "plugins[1] (scope).hosts[0]: expected a host such as 'example.com', '*.example.com' or '*', got 'x:1'; write 'x'; ports belong to 'listen'",
    ],
    [scope({}, a as never), 'plugins[1] (scope): expected a list of plugins, got the function factory'],
  ])('%j is refused', async (item, sentence) => {
    expect(withoutPlaces(await refusal([a, item]))).toBe(`ConfigError: config: ${sentence}`)
  })
})

describe('options', () => {
  it('run through the schema', async () => {
    const shout = definePlugin({ name: 'shout', options: v.pipe(v.string(), v.toUpperCase()) })
    expect((await resolve({ plugins: [shout('x')] })).plugins[0]?.settings).toBe('X')
  })

  it('may be checked by a promise', async () => {
    const later = v.pipeAsync(
      v.string(),
      v.checkAsync(async text => text === 'x', 'is not x'),
    )
    const plugin = definePlugin({ name: 'later', options: later })
    expect((await resolve({ plugins: [plugin('x')] })).plugins[0]?.settings).toBe('x')
    expect(await refusal([plugin('y')])).toBe('ConfigError: config: plugins[0] (later): options: is not x')
  })

  it('may be a schema that is a function, as in arktype', async () => {
    const validate = (value: unknown) => ({ value: [value] })
    const schema = Object.assign(() => 'called', {
      '~standard': { version: 1 as const, vendor: 'x', validate },
    })
    const plugin = definePlugin({ name: 'callable', options: schema })
    const entry = (plugin as (input: unknown) => unknown)('x')
    expect((await resolve({ plugins: [entry] })).plugins[0]?.settings).toEqual(['x'])
  })

  it.each<[input: unknown, sentence: string]>([
    [undefined, 'options: expected Object, got undefined'],
    [{}, 'options.root: is required'],
    [{ root: 5 }, 'options.root: expected string, got 5'],
    [{ root: '', rot: '' }, "options.rot: unknown option; did you mean 'root'?"],
    [{ root: '', deep: { lvl: 1, level: 2 } }, 'options.deep.lvl: unknown option; known are level'],
  ])('%j that break the schema name the option', async (input, sentence) => {
    const config = { sites: [{ name: 's', plugins: [a, loose(input)] }] }
    const error = await resolve(config).catch(reason => reason)
    expect(error.message).toBe(`config: sites[0].plugins[1] (strict): ${sentence}`)
  })

  it('that a plain function refuses name the plugin and keep the cause', async () => {
    const cause = new RangeError('id must be odd')
    const picky = definePlugin({
      name: 'picky',
      options(): never {
        throw cause
      },
    })
    const error = await resolve({ plugins: [picky] }).catch(reason => reason)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toBe('config: plugins[0] (picky): options: id must be odd')
    expect(error.cause).toBe(cause)
  })

  it('that a function refuses with a ConfigError keep its option and sentence', async () => {
    const picky = definePlugin({
      name: 'picky',
      options(): never {
        throw new ConfigError({ path: 'root', expected: 'a folder', received: "'x'" })
      },
    })
    const sentence = "config: plugins[0] (picky): options.root: expected a folder, got 'x'"
    expect(await refusal([picky])).toBe(`ConfigError: ${sentence}`)
  })

  it('of a function that gives a promise are refused, the promise failing or not', async () => {
    const sentence =
      "options: expected settings, got a promise; async work belongs to the plugin's server() or site()"
    const slow = definePlugin({ name: 'slow', options: async () => ({}) })
    expect(await refusal([slow()])).toBe(`ConfigError: config: plugins[0] (slow): ${sentence}`)
  })

  it('for a plugin that has none are refused', async () => {
    const entry = (a as (input: unknown) => unknown)({ level: 6 })
    const sentence = "options: expected none, this plugin has no options, got an object with the key 'level'"
    expect(await refusal([entry])).toBe(`ConfigError: config: plugins[0] (a): ${sentence}`)
  })
})
