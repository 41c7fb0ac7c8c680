import { type Config, definePlugin, type Plugins, scope } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../../core/config/resolve.ts'
import { isSameSite } from '../../../core/config/same-site.ts'

const one = definePlugin({ name: 'one', options: (...input: unknown[]) => input })
const two = definePlugin({ name: 'two', options: (...input: unknown[]) => input })

async function isSame(a: Config, b: Config, site: string | null = 'a'): Promise<boolean> {
  const source = { file: null, dir: '/srv' }
  return isSameSite(await resolveConfig(a, source), await resolveConfig(b, source), site)
}

const on = (plugins: Plugins, rest = {}): Config => ({ sites: [{ name: 'a', plugins, ...rest }] })
const handler = () => 'a'

describe('a site is what it was', () => {
  test.each<[string, () => Config]>([
    ['without options', () => on([one(), two()])],
    ['with plain options', () => on([one({ a: [1, 'b', { c: null }], d: Number.NaN })])],
    ['with URLs', () => on([one({ root: new URL('file:///srv/a') })])],
    ['with the very same function', () => on([one({ handler })])],
    ['in a scope', () => on([scope({ path: '/a/*' }, [one()])])],
    ['with plugins of the root', () => ({ plugins: [one({ a: 1 })], sites: [{ name: 'a' }] })],
  ])('%s', async (_what, make) => {
    expect(await isSame(make(), make())).toBe(true)
    expect(await isSame(make(), make(), null)).toBe(true)
  })

  test('whatever happens to another site', async () => {
    const a = { name: 'a', plugins: [one()] }
    const before = { sites: [a, { name: 'b', hosts: ['b'] }] }
    const after = { sites: [a, { name: 'b', hosts: ['b'], plugins: [two()] }] }
    expect(await isSame(before, after)).toBe(true)
    expect(await isSame(before, after, null)).toBe(false)
  })
})

describe('a site is another one', () => {
  test.each<[string, Config, Config]>([
    ['with another option', on([one({ a: 1 })]), on([one({ a: 2 })])],
    ['with one more option', on([one({ a: 1 })]), on([one({ a: 1, b: undefined })])],
    ['with an option of another name', on([one({ a: undefined })]), on([one({ b: undefined })])],
    ['with one more item', on([one([1])]), on([one([1, 2])])],
    ['with a list for an object', on([one([])]), on([one({})])],
    ['with another URL', on([one(new URL('file:///a'))]), on([one(new URL('file:///b'))])],
    ['with a function that only looks the same', on([one(() => 'a')]), on([one(() => 'a')])],
    ['with another object of a class', on([one(new Map())]), on([one(new Map())])],
    ['with plugins in another order', on([one(), two()]), on([two(), one()])],
    ['with one more plugin', on([one()]), on([one(), two()])],
    [
      'with another plugin of the same name',
      on([one()]),
      on([definePlugin({ name: 'one', options: (...input: unknown[]) => input })()]),
    ],
    ['in another scope', on([scope({ path: '/a' }, [one()])]), on([scope({ path: '/b' }, [one()])])],
    ['with other hosts', on([], { hosts: ['a'] }), on([], { hosts: ['b'] })],
    ['with another folder', on([], { dir: '/a' }), on([], { dir: '/b' })],
    ['with other limits', on([], { limits: { bodyBytes: 1 } }), on([], { limits: { bodyBytes: 2 } })],
    ['when it is not there', on([]), { sites: [{ name: 'b' }] }],
  ])('%s', async (_what, before, after) => {
    expect(await isSame(before, after)).toBe(false)
    expect(await isSame(after, before)).toBe(false)
    expect(await isSame(before, after, null)).toBe(false)
  })

  test('with options that go in a circle, since nobody can compare them to their end', async () => {
    const circle = (): object => {
      const made: { self?: object } = {}
      made.self = made
      return made
    }
    expect(await isSame(on([one(circle())]), on([one(circle())]))).toBe(false)
  })
})
