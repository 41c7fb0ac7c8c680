import { ConfigError, createServer } from 'rawhttp'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { expect, test } from 'vitest'

test.each<[unknown, string[]]>([
  [undefined, ["expected paths by path such as { '/api/*': '/v1/*' }, or a list of rules, got undefined"]],
  [{}, ['expected at least one rule, got none']],
  [[], ['expected at least one rule, got none']],
  [['/a'], ["[0]: expected a rule such as { from: '/api/*', to: '/v1/*' }, got '/a'"]],
  [[{ from: '/a', to: '/b', hots: [] }], ['[0].hots: unknown option']],
  [[{ from: '/a' }], ['[0].to: is required']],
  [
    { '/a': 3 },
    ["['/a']: expected a path such as '/v1/:id', or a rule such as { to: '/v1', query: 'drop' }, got 3"],
  ],
  [{ '/a': { to: '/b', query: 'no' } }, ["['/a'].query: expected 'keep' or 'drop', got 'no'"]],
  [{ a: '/b' }, ['"a": from: expected a path that starts with "/"']],
  [
    { '/a': 'https://example.com/', '/b': '/c#d', '/e': '/:f' },
    [
      '"/a": to: a rewrite stays on this server; redirects lead to another',
      '"/b": to: a fragment means something to clients only',
      '"/e": to: ":f" is not in the pattern, which has no parameters',
    ],
  ],
  [
    { '/:a((x*)*)': '/b' },
    ['"/:a((x*)*)": from: the regular expression ((x*)*) is not safe: a repetition stands inside of another'],
  ],
  [{ '/*': '/x/*', '/a': '/b' }, ['"/a": is never reached; "/*" stands before it and takes its path']],
  [
    [{ from: '/a', to: '/b', hosts: [] }],
    ['"/a": hosts: expected a list of at least one host, got an empty list'],
  ],
])('%j is refused when the config loads', async (options, problems) => {
  const loading = createServer({ plugins: [rewrites(options as Parameters<typeof rewrites>[0])] })
  const error: ConfigError = await loading.then(
    () => Promise.reject(new Error('it loaded')),
    thrown => thrown,
  )
  expect(error).toBeInstanceOf(ConfigError)
  const messages = [error, ...error.also].map(({ message }) =>
    message.replace(/^config: plugins\[0\] \(rewrites\): options(?:: )?/, ''),
  )
  expect(messages).toEqual(problems)
})

test('a rule for some requests only keeps none behind it from its own', async () => {
  const rules = [
    { from: '/*', to: '/blog/*', hosts: ['blog.example.com'] },
    { from: '/a', to: '/b' },
  ]
  const server = await createServer({ plugins: [rewrites(rules)] })
  await server.stop()
})
