import { isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, createServer, definePlugin, type PluginServer, type PluginSite, scope } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onServer, onSite, serve } from '../support/in-memory.ts'

describe('set-ups run', () => {
  const logging = (name: string, log: string[], repeatable = false) =>
    definePlugin({
      name,
      repeatable,
      async server() {
        log.push(`${name} begins`)
        await Promise.resolve()
        log.push(`${name} server`)
      },
      async site(site) {
        await Promise.resolve()
        log.push(`${name} ${site.name}`)
      },
    })

  test('one after another: root plugins first, then site by site, then the built-in site', async () => {
    const log: string[] = []
    await serve({
      plugins: [logging('one', log)(), logging('two', log)()],
      sites: [
        { name: 'a', plugins: [logging('three', log)()] },
        { name: 'b', hosts: ['b'], without: ['one'] },
      ],
    })
    expect(log).toEqual([
      'one begins',
      'one server',
      'two begins',
      'two server',
      'one a',
      'two a',
      'three begins',
      'three server',
      'three a',
      'two b',
      'one -',
      'two -',
    ])
  })

  test('for each instance once on the server, and once on each site that it serves', async () => {
    const log: string[] = []
    const plugin = logging('p', log, true)
    await serve({
      plugins: [plugin()],
      sites: [
        { name: 'a', plugins: [plugin(), scope({ path: '/x' }, [plugin()])] },
        { name: 'b', hosts: ['b'] },
      ],
    })
    expect(log.filter(line => line === 'p server')).toHaveLength(3)
    expect(log.filter(line => line === 'p a')).toHaveLength(2)
    expect(log.filter(line => line === 'p b')).toHaveLength(1)
  })

  test('with the settings that options made', async () => {
    const seen: unknown[] = []
    const plugin = definePlugin({
      name: 'p',
      options: ({ size = 1 }: { readonly size?: number } = {}) => ({ bytes: size * 1024 }),
      server: (_server, settings) => void seen.push(settings),
      site: (_site, settings) => void seen.push(settings),
    })
    await serve({ sites: [{ name: 'a', plugins: [plugin({ size: 2 })] }] })
    expect(seen).toEqual([{ bytes: 2048 }, { bytes: 2048 }])
  })
})

describe('a set-up that fails names plugin and site', () => {
  const boom = () => {
    throw new Error('no such folder')
  }

  test.each([
    ['server()', onServer('bad', boom), 'plugin "bad", server(): no such folder'],
    ['async server()', onServer('bad', async () => boom()), 'plugin "bad", server(): no such folder'],
    ['site()', onSite('bad', boom), 'plugin "bad", site() for "default": no such folder'],
  ])('%s', async (_what, plugin, sentence) => {
    await expect(createServer({ plugins: [plugin] })).rejects.toThrow(sentence)
  })

  test('an instance by its listed name', async () => {
    const plugin = definePlugin({
      name: 'files',
      repeatable: true,
      options: (isBad: boolean) => isBad,
      site: (_site, isBad) => void (isBad && boom()),
    })
    await expect(serve([plugin(false), plugin(true)])).rejects.toThrow(
      'plugin "files#2", site() for "default":',
    )
  })

  test('and a mistake in the config by its place and option', async () => {
    const plugin = onSite('files', () => {
      throw new ConfigError({ path: 'root', expected: 'a folder', received: 'a file' })
    })
    const error = await createServer({ sites: [{ name: 'a', plugins: [plugin] }] }).catch(
      (thrown: Error) => thrown,
    )
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toBe(
      'config: sites[0].plugins[0] (files): options.root: expected a folder, got a file',
    )
  })
})

describe('what a plugin is given', () => {
  async function given(dir: string | URL | undefined) {
    const all: { server?: PluginServer; site?: PluginSite } = {}
    const plugin = definePlugin({
      name: 'p',
      server: server => void Object.assign(all, { server }),
      site: site => void Object.assign(all, { site }),
    })
    await createServer(
      { sites: [{ name: 'a', hosts: ['A.example', '*'], dir, plugins: [plugin()] }] },
      { dir: '/srv/config' },
    )
    return all as { server: PluginServer; site: PluginSite }
  }

  test('is the site with its name and hosts, and the server', async () => {
    const { site, server } = await given(undefined)
    expect(site).toMatchObject({ name: 'a', hosts: ['a.example', '*'] })
    expect(site.server).toBe(server)
  })

  test('resolves paths from the folder of the site, else of the config, never from the working directory', async () => {
    const { site, server } = await given('sites/a')
    expect(site.resolve('public')).toBe('/srv/config/sites/a/public')
    expect(server.resolve('public')).toBe('/srv/config/public')
    expect((await given(undefined)).site.resolve('./x')).toBe('/srv/config/x')
    const url = pathToFileURL('/elsewhere/x y')
    for (const path of [url, url.href, '/elsewhere/x y']) expect(site.resolve(path)).toBe('/elsewhere/x y')
    expect(isAbsolute(site.resolve(join('..', 'x')))).toBe(true)
  })

  test('cannot be changed for another plugin', async () => {
    const { site, server } = await given(undefined)
    expect(() => Object.assign(site, { resolve: () => '/etc' })).toThrow(TypeError)
    expect(() => Object.assign(server.hooks, { report: null })).toThrow(TypeError)
  })

  test('reports and logs in the plugin’s name', async () => {
    const plugin = onServer('p', server => {
      server.hooks.start.tap('a', ({ log, report }) => {
        report({ code: 'MINE', message: 'a', severity: 'error', plugin: 'another' })
        log.warn('b', new Error('why'))
      })
    })
    const { server, reports } = await serve([plugin])
    await server.inject()
    expect(reports).toEqual([
      { code: 'MINE', message: 'a', severity: 'error', plugin: 'p' },
      { code: 'LOG', message: 'b', severity: 'warning', plugin: 'p', cause: new Error('why') },
    ])
  })
})
