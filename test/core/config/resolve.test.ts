import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defineConfig, defineSite } from '../../../core/config/define.ts'
import { resolveConfig } from '../../../core/config/resolve.ts'
import type { ConfigSource } from '../../../core/config/types.ts'
import { defaultExchangeLimits, defaultListenerLimits } from '../../../core/limits.ts'

const source: ConfigSource = { file: null, dir: '/srv/app' }
const resolve = (config: unknown, overrides?: ConfigSource['overrides']) =>
  resolveConfig(config, { ...source, overrides })

/** The sentence that a config is refused with. */
async function refusal(config: unknown, overrides?: ConfigSource['overrides']): Promise<string> {
  return await resolve(config, overrides).then(
    () => 'no error',
    error => `${error.name}: ${error.message}`,
  )
}

it('names the file of a config that throws when it is read', async () => {
  const config = {
    get listen() {
      throw new Error('not yet')
    },
  }
  expect(await refusal(config)).toBe('ConfigError: config: reading it failed: not yet')
})

describe('defaults', () => {
  it('are one listener on loopback, port 8080, and one site for every host', async () => {
    const config = await resolve({})
    const place = { at: 'listen[0]', port: 8080, host: '127.0.0.1', path: null, mode: null }
    const listener = { ...place, fd: null, tls: false, trustedProxies: null }
    expect(config).toEqual({
      reload: { oldStreams: 3_600_000 },
      stop: { deadline: 10_000 },
      file: null,
      dir: '/srv/app',
      listen: [{ ...listener, limits: defaultListenerLimits }],
      limits: defaultExchangeLimits,
      trustedProxies: null,
      plugins: [],
      sites: [{ name: 'default', hosts: ['*'], dir: '/srv/app', plugins: [], limits: defaultExchangeLimits }],
    })
  })

  it('stand for options that are undefined', async () => {
    const config = defineConfig({
      listen: undefined,
      limits: { headBytes: undefined, bodyBytes: undefined },
      sites: [defineSite({ name: 'a', hosts: undefined, dir: undefined, limits: { bodyBytes: undefined } })],
    })
    const { listen, limits, sites } = await resolve(config)
    expect(listen[0]?.limits).toEqual(defaultListenerLimits)
    expect([limits, sites[0]?.limits]).toEqual([defaultExchangeLimits, defaultExchangeLimits])
    expect(sites[0]?.hosts).toEqual(['*'])
  })
})

describe('limits', () => {
  it('of a listener come before those of the server', async () => {
    const limits = { headBytes: '1kb', headTimeout: '2s' }
    const { listen } = await resolve({ limits, listen: [{ port: 1 }, { port: 2, limits: { headBytes: 5 } }] })
    expect(listen[0]?.limits).toEqual({ ...defaultListenerLimits, headBytes: 1024, headTimeout: 2000 })
    expect(listen[1]?.limits).toEqual({ ...defaultListenerLimits, headBytes: 5, headTimeout: 2000 })
  })

  it('of a site come before those of the server', async () => {
    const { limits, sites } = await resolve({
      limits: { bodyBytes: '2mb', writeTimeout: '1m' },
      sites: [{ name: 'a', limits: { bodyBytes: 0 } }],
    })
    expect(limits).toEqual({ ...defaultExchangeLimits, bodyBytes: 2_097_152, writeTimeout: 60_000 })
    expect(sites[0]?.limits).toEqual({ ...defaultExchangeLimits, bodyBytes: 0, writeTimeout: 60_000 })
  })
})

describe('listeners', () => {
  it('may be a Unix socket, its path counted from the config', async () => {
    const { listen } = await resolve({ listen: [{ path: 'run/x.sock', mode: 0o660 }] })
    expect(listen[0]).toMatchObject({ path: '/srv/app/run/x.sock', mode: 0o660, port: 0, host: '' })
  })

  it('take an IPv6 address with or without brackets', async () => {
    const { listen } = await resolve({ listen: [{ host: '[::1]' }, { host: '::' }] })
    expect(listen.map(({ host }) => host)).toEqual(['::1', '::'])
  })

  it('are changed by port and host of the command line in the first entry only', async () => {
    const { listen } = await resolve(
      { listen: [{ port: 1, tls: true }, { port: 2 }] },
      { port: 3000, host: '::' },
    )
    expect(listen.map(({ host, port, tls }) => [host, port, tls])).toEqual([
      ['::', 3000, true],
      ['127.0.0.1', 2, false],
    ])
  })

  it('may be a socket that was passed, by descriptor, or by a name that is looked for at start', async () => {
    const { listen } = await resolve({ listen: [{ fd: 3, tls: true }, { fd: 'http' }] })
    expect(listen.map(({ fd, host, port, path, tls }) => ({ fd, host, port, path, tls }))).toEqual([
      { fd: 3, host: '', port: 0, path: null, tls: true },
      { fd: 'http', host: '', port: 0, path: null, tls: false },
    ])
  })

  it('turn from a passed socket into a port when the command line says a port', async () => {
    const { listen } = await resolve({ listen: [{ fd: 'http' }] }, { port: 0 })
    expect(listen[0]).toMatchObject({ fd: null, port: 0, host: '127.0.0.1' })
  })

  it('turn from a Unix socket into a port when the command line says a port', async () => {
    const { listen } = await resolve({ listen: [{ path: '/run/x.sock', mode: 0o600 }] }, { port: 0 })
    expect(listen[0]).toMatchObject({ path: null, mode: null, port: 0, host: '127.0.0.1' })
  })
})

describe('sites', () => {
  it('have hosts in lower case, without a final dot', async () => {
    const hosts = ['Example.COM.', '*.Example.com', 'localhost', '127.0.0.1', '[::1]']
    const { sites } = await resolve({ sites: [{ name: 'a', hosts }] })
    expect(sites[0]?.hosts).toEqual(['example.com', '*.example.com', 'localhost', '127.0.0.1', '[::1]'])
  })

  it('have IPv6 addresses in the form that clients send', async () => {
    const { sites } = await resolve({
      sites: [{ name: 'a', hosts: ['[2001:DB8:0::01]', '[::ffff:1.2.3.4]'] }],
    })
    expect(sites[0]?.hosts).toEqual(['[2001:db8::1]', '[::ffff:102:304]'])
  })

  it.each([
    ['a relative path', 'blog', '/srv/app/blog'],
    ['an absolute path', '/var/blog', '/var/blog'],
    ['a file: URL', pathToFileURL('/var/my blog'), '/var/my blog'],
    ['the text of a file: URL', 'file:///var/blog', '/var/blog'],
  ])('have a dir that may be %s', async (_, dir, expected) => {
    expect((await resolve({ sites: [{ name: 'a', dir }] })).sites[0]?.dir).toBe(expected)
  })
})

describe('unknownHost', () => {
  const hostsOf = async (unknownHost: string | undefined, ...hosts: string[][]) => {
    const sites = hosts.map((each, index) => ({ name: String(index), hosts: each }))
    return (await resolve({ unknownHost, sites })).sites.map(site => site.hosts)
  }

  it("'default' gives the first site '*' when no site has it", async () => {
    expect(await hostsOf('default', ['a'], ['b'])).toEqual([['a', '*'], ['b']])
    expect(await hostsOf('default', ['a'], ['b', '*'])).toEqual([['a'], ['b', '*']])
  })

  it("'refuse' and no word leave the hosts as they are", async () => {
    expect(await hostsOf('refuse', ['a'], ['*.b'])).toEqual([['a'], ['*.b']])
    expect(await hostsOf(undefined, ['a'], ['*.b'])).toEqual([['a'], ['*.b']])
    expect(await hostsOf(undefined, ['a', '*'])).toEqual([['a', '*']])
  })

  it('goes with a config without sites, whose one site takes every host', async () => {
    expect((await resolve({ unknownHost: 'default' })).sites.map(site => site.hosts)).toEqual([['*']])
  })
})

describe('a mistake in a config is one sentence', () => {
  const site = (rest: object) => ({ sites: [{ name: 'a', ...rest }] })
  const addressExpected =
    "expected an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix'"
  const hostExpected = "expected a host such as 'example.com', '*.example.com' or '*'"

  it.each<[config: unknown, sentence: string]>([
    [null, 'config: expected a config object, got null'],
    [[], 'config: expected a config object, got an empty list'],
    [
      () => ({}),
      'config: expected a config object, got a function; call it with { command, mode, env } first',
    ],
    [{ plugin: [] }, "config: plugin: unknown option; did you mean 'plugins'?"],
    [
      { x: 1 },
      'config: x: unknown option; known are listen, limits, trustedProxies, plugins, reload, stop, sites, unknownHost',
    ],
    [{ plugins: {} }, 'config: plugins: expected a list of plugins, got an empty object'],
    [{ limits: { bodyByte: 1 } }, "config: limits.bodyByte: unknown option; did you mean 'bodyBytes'?"],
    [site({ hosts: ['*.'] }), `config: sites[0].hosts[0]: ${hostExpected}, got '*.'`],
    [
      site({ limits: { headBytes: 1 } }),
      "config: sites[0].limits.headBytes: unknown option; it belongs to 'limits' of the server or of a listener",
    ],
    [
      { listen: [{ limits: { handlerTimeout: 1 } }] },
      "config: listen[0].limits.handlerTimeout: unknown option; it belongs to 'limits' of the server or of a site",
    ],
    [
      site({ limits: { bodyBytes: 'lots' } }),
      "config: sites[0].limits.bodyBytes: expected a size such as 65536 or '64kb', got 'lots'",
    ],
    [
      { limits: { headTimeout: 0 } },
      "config: limits.headTimeout: expected a duration such as 10000 or '10s', above 0, got 0",
    ],
    [{ limits: { headers: 1.5 } }, 'config: limits.headers: expected a whole number of at least 1, got 1.5'],
    [{ limits: null }, 'config: limits: expected an object of limits, got null'],
    [{ listen: [] }, 'config: listen: expected a list of at least one listener, got an empty list'],
    [
      { listen: [{ fd: 2 }] },
      'config: listen[0].fd: expected the name of a passed socket, or a descriptor from 3 on, got 2',
    ],
    [{ listen: [{ fd: 3, port: 80 }] }, "config: listen[0].port: expected no more than 'fd', got 'port' too"],
    [
      { listen: [{ fd: 3, mode: 0o660 }] },
      "config: listen[0].mode: expected no more than 'fd', got 'mode' too",
    ],
    [
      { listen: [{ fd: 3 }, { fd: 3 }] },
      'config: listen[1]: expected a place that no other listener has, got descriptor 3, which is listen[0] already',
    ],
    [
      { listen: { port: 1 } },
      "config: listen: expected a list of at least one listener, got an object with the key 'port'",
    ],
    [{ listen: [{ port: 65536 }] }, 'config: listen[0].port: expected a port from 0 to 65535, got 65536'],
    [{ listen: [{ port: 80.5 }] }, 'config: listen[0].port: expected a port from 0 to 65535, got 80.5'],
    [{ listen: [{ port: '80' }] }, "config: listen[0].port: expected a port from 0 to 65535, got '80'"],
    [
      { listen: [{ port: 1, path: '/x' }] },
      "config: listen[0].port: expected either 'path' or 'port' and 'host', got both",
    ],
    [
      { listen: [{ host: '::', path: '/x' }] },
      "config: listen[0].host: expected either 'path' or 'port' and 'host', got both",
    ],
    [
      { listen: [{ port: 1, mode: 0o600 }] },
      "config: listen[0].mode: expected no mode without 'path', got 384; it is for Unix sockets",
    ],
    [
      { listen: [{ path: '/x', mode: 0o7777 }] },
      'config: listen[0].mode: expected permissions such as 0o660, got 4095',
    ],
    [{ listen: [{ tls: {} }] }, 'config: listen[0].tls: expected true or false, got an empty object'],
    [
      { listen: [{ host: 'localhost:80' }] },
      "config: listen[0].host: expected an address such as '127.0.0.1', '::' or 'localhost', got 'localhost:80'; the port goes into 'port'",
    ],
    [
      { listen: [{ port: 80 }, { port: 80 }] },
      'config: listen[1]: expected a place that no other listener has, got 127.0.0.1:80, which is listen[0] already',
    ],
    [
      { sites: [] },
      "config: sites: expected a list of at least one site (leave it out for one site 'default'), got an empty list",
    ],
    [{ sites: [{ hosts: ['*'] }] }, 'config: sites[0].name: is required'],
    [{ sites: [{ name: '' }] }, "config: sites[0].name: expected a name, got ''"],
    [
      { sites: [{ name: '-' }] },
      "config: sites[0].name: expected a name other than '-', which is rawhttp's own, got '-'",
    ],
    [
      { sites: [{ name: 'a\nb' }] },
      String.raw`config: sites[0].name: expected a name without control characters and outer spaces, got 'a\nb'`,
    ],
    [
      { sites: [{ name: 'a' }, { name: 'a', hosts: ['b'] }] },
      "config: sites[1].name: expected a name that no other site has, got 'a', the name of sites[0]",
    ],
    [
      {
        sites: [
          { name: 'a', hosts: ['x.org'] },
          { name: 'b', hosts: ['y.org', 'X.org'] },
        ],
      },
      "config: sites[1].hosts[1]: the sites 'a' (sites[0]) and 'b' (sites[1]) both take the host 'x.org'",
    ],
    [
      { sites: [{ name: 'a' }, { name: 'b' }] },
      "config: sites[1]: the sites 'a' (sites[0]) and 'b' (sites[1]) both take the host '*'; without 'hosts' a site takes '*'",
    ],
    [
      site({ hosts: ['x.org', 'x.org'] }),
      "config: sites[0].hosts[1]: expected each host once, got 'x.org' again",
    ],
    [
      site({ hosts: ['[::1]', '[0::1]'] }),
      "config: sites[0].hosts[1]: expected each host once, got '[::1]' again",
    ],
    [{ unknownHost: 'reject' }, "config: unknownHost: expected 'default' or 'refuse', got 'reject'"],
    [
      { unknownHost: 'refuse', ...site({ hosts: ['x.org', '*'] }) },
      "config: sites[0].hosts[1]: takes every host, but unknownHost is 'refuse'; name the hosts",
    ],
    [
      { unknownHost: 'refuse' },
      "config: sites[0]: takes every host, but unknownHost is 'refuse'; without 'hosts' a site takes '*', and without 'sites' there is such a one",
    ],
    [site({ hosts: [] }), 'config: sites[0].hosts: expected a list of at least one host, got an empty list'],
    [
      site({ hosts: ['x.org:80'] }),
      `config: sites[0].hosts[0]: ${hostExpected}, got 'x.org:80'; write 'x.org'; ports belong to 'listen'`,
    ],
    [
      site({ hosts: ['https://x.org/a'] }),
      `config: sites[0].hosts[0]: ${hostExpected}, got 'https://x.org/a'; write 'x.org', without scheme and path`,
    ],
    [site({ hosts: ['::1'] }), `config: sites[0].hosts[0]: ${hostExpected}, got '::1'; write '[::1]'`],
    [
      site({ hosts: ['münchen.de'] }),
      `config: sites[0].hosts[0]: ${hostExpected}, got 'münchen.de'; write 'xn--mnchen-3ya.de'`,
    ],
    [site({ hosts: ['a.*.org'] }), `config: sites[0].hosts[0]: ${hostExpected}, got 'a.*.org'`],
    [
      { trustedProxies: 'loopback' },
      "config: trustedProxies: expected addresses such as ['10.0.0.0/8'], or { from, fields }, got 'loopback'",
    ],
    [
      { trustedProxies: ['loopback', 'proxy.example'] },
      `config: trustedProxies[1]: ${addressExpected}, got 'proxy.example'; names are not looked up: write the address`,
    ],
    [{ trustedProxies: [10] }, `config: trustedProxies[0]: ${addressExpected}, got 10`],
    [
      { listen: [{ trustedProxies: { from: ['privat'] } }] },
      `config: listen[0].trustedProxies.from[0]: ${addressExpected}, got 'privat'; did you mean 'private'?`,
    ],
    [
      { trustedProxies: { from: ['unix'], fields: ['x-forwarded-by'] } },
      'config: trustedProxies.fields[0]: expected one of forwarded, x-forwarded-for, x-forwarded-proto, ' +
        "x-forwarded-host, x-forwarded-port, got 'x-forwarded-by'",
    ],
    [
      { trustedProxies: { from: [], fields: [] } },
      'config: trustedProxies.fields: expected a list of at least one field, got an empty list',
    ],
    [{ trustedProxies: { form: [] } }, 'config: trustedProxies.from: is required'],
    [
      { trustedProxies: { from: [], field: [] } },
      "config: trustedProxies.field: unknown option; did you mean 'fields'?",
    ],
    [
      site({ dir: new URL('http://x.org/') }),
      'config: sites[0].dir: expected a path or a file: URL, got an instance of URL',
    ],
  ])('%j', async (config, sentence) => {
    expect(await refusal(config)).toBe(`ConfigError: ${sentence}`)
  })

  it('that names the file of the config', async () => {
    const resolved = resolveConfig(
      { sites: 1 },
      { file: `${process.cwd()}/conf/rawhttp.config.ts`, dir: '/' },
    )
    await expect(resolved).rejects.toThrow(/^conf\/rawhttp\.config\.ts: sites: expected a list/)
  })

  it('and carries the further mistakes of the same go', async () => {
    const error = await resolve({ x: 1, listen: [{ port: -1 }] }).catch(reason => reason)
    expect([error.message, ...error.also.map((one: Error) => one.message)].sort()).toEqual([
      'config: listen[0].port: expected a port from 0 to 65535, got -1',
      'config: x: unknown option; known are listen, limits, trustedProxies, plugins, reload, stop, sites, unknownHost',
    ])
  })

  it('with its parts as properties', async () => {
    const error = await resolve({ listen: [{ port: -1 }] }).catch(reason => reason)
    const parts = { path: 'listen[0].port', expected: 'a port from 0 to 65535', received: '-1', file: null }
    expect(error).toMatchObject(parts)
  })
})
