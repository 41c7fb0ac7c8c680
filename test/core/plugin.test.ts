import { definePlugin, type PluginEntry, scope } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { isPluginEntry, isPluginFactory, isScopeEntry } from '../../core/plugin.ts'

const site = () => undefined

describe('definePlugin', () => {
  test('gives a factory, whose calls are entries with their input', () => {
    const options = (size: number, name?: string) => ({ size, name })
    const plugin = definePlugin({ name: 'p', options, site })
    expect([isPluginFactory(plugin), isPluginEntry(plugin), plugin.plugin]).toEqual([true, false, 'p'])
    const entry = plugin(1, 'x')
    expect([isPluginEntry(entry), isScopeEntry(entry), isPluginFactory(entry)]).toEqual([true, false, false])
    expect(entry).toMatchObject({ input: [1, 'x'], options, definition: { name: 'p', site } })
    expect(plugin(2)).not.toBe(entry)
  })

  test('runs nothing yet', () => {
    const boom = () => {
      throw new Error('ran')
    }
    expect(definePlugin({ name: 'p', options: boom, server: boom, site: boom })()).toSatisfy(isPluginEntry)
  })

  test.each(['a', 'static', 'basic-auth', 'h2'])('takes the name %s', name => {
    expect(definePlugin({ name }).plugin).toBe(name)
  })

  test.each(['', 'A', '2h', 'a b', 'a#2', 'a/b', '-a', undefined, 5])('refuses the name %j', name => {
    expect(() => definePlugin({ name: name as string })).toThrow(
      /^definePlugin: name must match \/\^\[a-z\]\[a-z0-9-\]\*\$\/, got /,
    )
  })

  test('refuses what would silently do nothing', () => {
    expect(() => definePlugin({ name: 'p', sites: site } as never)).toThrow(
      'definePlugin: p: unknown "sites"; a plugin has name, repeatable, server, site, options',
    )
    expect(() => definePlugin({ name: 'p', site: {} } as never)).toThrow(
      'definePlugin: p: site cannot be an object',
    )
    expect(() => definePlugin({ name: 'p', server: true } as never)).toThrow(
      'definePlugin: p: server cannot be true',
    )
    expect(() => definePlugin({ name: 'p', options: {} } as never)).toThrow(
      'definePlugin: p: options cannot be an object',
    )
    expect(() => definePlugin({ name: 'p', repeatable: 'yes' } as never)).toThrow(
      'definePlugin: p: repeatable cannot be "yes"',
    )
    expect(definePlugin({ name: 'p', site: undefined, server: undefined })()).toSatisfy(isPluginEntry)
  })
})

test('scope gives an entry with its plugins', () => {
  const plugin: PluginEntry = definePlugin({ name: 'p' })()
  const to = { path: '/a/*' }
  const entry = scope(to, [plugin])
  expect([isScopeEntry(entry), isPluginEntry(entry)]).toEqual([true, false])
  expect(entry).toMatchObject({ to, plugins: [plugin] })
})

test.each([undefined, null, 5, 'static', {}, [], () => undefined, { definition: { name: 'p' }, input: [] }])(
  'nothing else is taken for one: %j',
  value => {
    expect([isPluginEntry(value), isScopeEntry(value), isPluginFactory(value)]).toEqual([false, false, false])
  },
)
