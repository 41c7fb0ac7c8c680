import { ConfigError, createServer } from 'rawhttp'
import { redirects } from 'rawhttp/plugins/redirects'
import { describe, expect, test } from 'vitest'

/** What the config says of these options; null when it takes them. */
async function failures(options: unknown, hosts = ['example.com']): Promise<string[] | null> {
  const plugins = [redirects(options as Parameters<typeof redirects>[0])]
  const error = await createServer({ sites: [{ name: 'a', hosts, plugins }] }).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error === null) return null
  if (!(error instanceof ConfigError)) throw error
  return [error, ...error.also].map(({ message }) =>
    message.replace('config: sites[0].plugins[0] (redirects): options', '').replace(/^[.:] ?/, ''),
  )
}

describe('a mistake is told when the config loads:', () => {
  test.each<[unknown, string[]]>([
    [undefined, ["expected options such as { rules: { '/old/:id': '/new/:id' } }, got undefined"]],
    [{}, ['expected rules, www or trailingSlash: these redirect nothing']],
    [{ rules: {} }, ['expected rules, www or trailingSlash: these redirect nothing']],
    [{ rule: {} }, ["rule: unknown option; did you mean 'rules'?"]],
    [
      { rules: 3 },
      ["rules: expected targets by path such as { '/old/:id': '/new/:id' }, or a list of rules, got 3"],
    ],
    [{ rules: ['/a'] }, ["rules[0]: expected a rule such as { from: '/old/:id', to: '/new/:id' }, got '/a'"]],
    [{ rules: [{ from: '/a', to: '/b', stat: 301 }] }, ['rules[0].stat: unknown option']],
    [
      { rules: { '/a': { to: '/b', status: 300 } } },
      ["rules['/a'].status: expected 301, 302, 303, 307, 308 or 410, got 300"],
    ],
    [
      { rules: { '/a': 3 } },
      [expect.stringContaining("rules['/a']: expected a path such as '/new/:id', a URL, or a rule")],
    ],
    [
      { rules: { '/a': { to: '/b', query: true } } },
      ["rules['/a'].query: expected 'keep' or 'drop', got true"],
    ],
    [{ rules: { a: '/b' } }, ['rules: "a": from: expected a path that starts with "/"']],
    [
      { rules: { '/a/:id': '/b/:di' } },
      [expect.stringMatching(/^rules: "\/a\/:id": to: ":di" is not in the pattern/)],
    ],
    [
      { rules: { '/a': '//evil.example' } },
      [expect.stringContaining('"/a": to: expected a path that starts with one "/"')],
    ],
    [{ rules: { '/a': { status: 302 } } }, ['rules: "/a": to: is required, unless the status is 410']],
    [{ rules: { '/a': { to: '/b', status: 410 } } }, ['rules: "/a": to: what is gone (410) leads nowhere']],
    [
      { rules: { '/:a((x+)+)': '/b' } },
      [expect.stringContaining('"/:a((x+)+)": from: the regular expression ((x+)+) is not safe')],
    ],
    [
      { rules: { '/a': { to: '/b', hosts: ['https://c'] }, '/d': { to: '/e', methods: ['get'] } } },
      [
        expect.stringContaining('"/a": hosts[0]: expected a host such as'),
        `rules: "/d": methods[0]: expected a method in capitals such as 'GET', got 'get'`,
      ],
    ],
    [{ www: 'yes' }, ["www: expected 'add' or 'remove', got 'yes'"]],
    [{ trailingSlash: true }, ["trailingSlash: expected 'add' or 'remove', got true"]],
    [{ www: 'add', status: 410 }, ['status: expected 301, 302, 303, 307 or 308, got 410']],
    [
      { www: 'add', cacheControl: 'a\nb' },
      ["cacheControl: expected a field value such as 'max-age=600', or false, got 'a\\nb'"],
    ],
  ])('%j', async (options, problems) => {
    expect(await failures(options)).toEqual(problems)
  })

  test('www for hosts that nobody names', async () => {
    expect(await failures({ www: 'add' }, ['*'])).toEqual([
      "www: expected a site that names the hosts to put it before, such as ['example.com', 'www.example.com'], got the hosts *",
    ])
    expect(await failures({ www: 'remove' }, ['*'])).toBeNull()
  })
})

describe('rules that lead round in a circle are told:', () => {
  const circle = (rule: string, way: string) => `rules: "${rule}": leads round in a circle: ${way}`

  test.each<[Record<string, unknown>, string[]]>([
    [{ '/a': '/a' }, [circle('/a', '/a -> /a')]],
    [{ '/a/:x': '/a/:x' }, [circle('/a/:x', '/a/x7 -> /a/x7')]],
    [{ '/caf\xe9': '/caf%c3%a9' }, [circle('/caf\xe9', '/caf%C3%A9 -> /caf%C3%A9')]],
    [{ '/a': '/b', '/b': '/a' }, [circle('/a', '/a -> /b -> /a'), circle('/b', '/b -> /a -> /b')]],
    [
      { '/a': '/b/1', '/b/:n(\\d+)': '/a' },
      [circle('/a', '/a -> /b/1 -> /a'), circle('/b/:n(\\\\d+)', '/b/1 -> /a -> /b/1')],
    ],
    [{ '/a/*': '/a/b/*' }, [circle('/a/*', '/a/x7 -> /a/b/x7 -> /a/b/b/x7 -> /a/b/b/b/x7 -> …')]],
    [
      { '/a': '/a?again=1' },
      [circle('/a', '/a -> /a?again=1 -> /a?again=1&again=1 -> /a?again=1&again=1&again=1 -> …')],
    ],
    [{ '/a': { to: '/b', hosts: ['*.x.example'] }, '/b': '/a' }, [circle('/a', '/a -> /b -> /a')]],
  ])('%j', async (rules, problems) => {
    expect(await failures({ rules })).toEqual(problems)
  })

  test.each<Record<string, unknown>>([
    { '/a': '/b', '/b': '/c' },
    { '/*': '/closed' },
    { '/*': { to: '/closed?x=1', query: 'drop' } },
    { '/a': { to: '/b', hosts: ['a.example'] }, '/b': { to: '/a', hosts: ['b.example'] } },
    { '/a': { to: '/b', methods: ['POST'], status: 303 }, '/b': { to: '/a', methods: ['POST'] } },
    { '/a': { to: '/b', methods: ['POST'], status: 301 }, '/b': { to: '/a', methods: ['POST'] } },
    { '/a': { to: '/b', methods: ['POST'] }, '/b': { to: '/a', methods: ['GET'] } },
    { '/a': 'https://example.com/a' },
    { '/a/:x(q+)': '/a/:x' },
    { '/a': '/b', '/b': { status: 410 } },
  ])('%j does not', async rules => {
    expect(await failures({ rules })).toBeNull()
  })
})

describe('a rule that is never reached is told:', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ '/*': '/x', '/b': '/c' }, '"/b": is never reached; "/*" stands before it and takes its path'],
    [{ '/:x': '/y/z', '/b': { status: 410 } }, '"/b": is never reached; "/:x" stands before it'],
  ])('%j', async (rules, sentence) => {
    expect(await failures({ rules })).toEqual([expect.stringContaining(sentence)])
  })

  test('also one that stands twice', async () => {
    const rules = [
      { from: '/a/:x', to: '/b/:x' },
      { from: '/a/:x', to: '/c/:x', methods: ['POST'] },
    ]
    expect(await failures({ rules })).toEqual([expect.stringContaining('"/a/:x": is never reached')])
  })

  test('but not behind one for some requests only', async () => {
    const rules = [
      { from: '/*', to: 'https://new.example/*', hosts: ['old.example'] },
      { from: '/a', to: '/b', hosts: ['*'] },
      { from: '/b/:x', to: '/c' },
      { from: '/b/1', to: '/d', hosts: ['b.example'], methods: ['GET'] },
    ]
    expect(await failures({ rules: rules.slice(0, 3) })).toBeNull()
    expect(await failures({ rules: [rules[3], rules[2]] })).toBeNull()
  })
})
