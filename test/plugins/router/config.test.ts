import { ConfigError, createServer } from 'rawhttp'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'

const anyRouter = router as unknown as (...input: readonly unknown[]) => ReturnType<typeof router>

async function failure(...input: readonly unknown[]): Promise<string> {
  const loading = createServer({ sites: [{ name: 'test', plugins: [anyRouter(...input)] }] })
  const error = await loading.then(
    () => new Error('it loaded'),
    (thrown: Error) => thrown,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return error.message
}

const handler = () => null

describe('a mistake in the routes is told when the config loads, with plugin and key', () => {
  test.each([
    ['users', 'expected a method, one space and a path, such as "GET /users/:id"'],
    ['GET users', 'expected a method, one space and a path'],
    ['GET  /users', 'expected a method, one space and a path'],
    ['/users', 'expected a method, one space and a path'],
    ['get /users', 'methods are written in capitals: "GET"'],
    ['FETCH /users', '"FETCH" is no method that can be routed; known are GET, HEAD'],
    ['CONNECT /users', '"CONNECT" is no method that can be routed'],
    ['GET /users/:', '":" begins a parameter and needs a name such as ":id"'],
    ['GET /users/:1', '":" begins a parameter and needs a name'],
    ['GET /:id/x/:id', 'two parameters are named "id"'],
    ['GET /:a:b', 'behind ":a" comes "/", "-", "." or the end'],
    ['GET /:a@:b', 'behind ":a" comes "/", "-", "." or the end'],
    ['GET /:a*', 'behind ":a" comes "/", "-", "." or the end'],
    ['GET /:a%28x', 'behind ":a" comes "/", "-", "." or the end'],
    ['GET /a/*/b', '"*" stands for all that is left and can only be the last character'],
    ['GET /:a?/b', '":a?" is optional and must be the whole last segment'],
    ['GET /x-:a?', '":a?" is optional and must be the whole last segment'],
    ['GET /a?b=c', '"?" makes the last parameter optional; a query is no part of a pattern'],
    ['GET /users/{id}', 'braces mean nothing here: a parameter is written ":id"'],
    ['GET /a/../b', 'no request has a dot segment in its path'],
    ['GET /a/%2e', 'no request has a dot segment in its path'],
    ['GET /a%2Ab', 'an escaped "*" cannot be matched literally'],
    ['GET /a%zz', 'the path has a broken percent escape or an escaped NUL'],
    ['GET /a%00', 'the path has a broken percent escape or an escaped NUL'],
    ['GET /a#b', 'the path has a character that must be escaped'],
    ['GET /a\\b', 'the path has a character that must be escaped'],
    ['GET /a\ud800', 'the path has a character that must be escaped'],
    ['GET /:a((x)', 'the regular expression ((x) has no closing parenthesis'],
    ['GET /:a([)', 'Invalid regular expression'],
    ['GET /:a((x+)+y)', "The regex '((x+)+y)' is not safe!"],
  ])('%j: %s', async (key, sentence) => {
    const message = await failure({ [key]: handler })
    expect(message).toContain(`sites[0].plugins[0] (router): options: route ${JSON.stringify(key)}: `)
    expect(message).toContain(sentence)
  })

  test.each([
    ['GET /users/:id', 'GET /users/:name'],
    ['GET /users/:id?', 'GET /users'],
    ['GET /caf%c3%a9', 'GET /café'],
    ['GET /a//b', 'GET /a/b'],
    ['GET /a-:x(\\d+)', 'GET /a-:y(\\d+)'],
  ])('%j and %j are one', async (first, second) => {
    const message = await failure({ [first]: handler, [second]: handler })
    expect(message).toContain(
      `route ${JSON.stringify(second)}: has the same method and path as ${JSON.stringify(first)}`,
    )
  })

  test('two routes that only a regular expression tells apart', async () => {
    const message = await failure({ 'GET /:a(\\d+)': handler, 'GET /:b([a-z]+)': handler })
    expect(message).toContain(
      'route "GET /:b([a-z]+)": another route has the same path but for regular expressions',
    )
  })

  test.each([
    ['text', 'x', '"x"'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object', { handler }, 'an object'],
    ['a list', [handler], 'an array'],
  ])('%s is no handler', async (_, value, received) => {
    expect(await failure({ 'GET /x': value })).toContain(
      `route "GET /x": expected a handler function or route(options, handler), got ${received}`,
    )
  })

  test('what is inside route()', async () => {
    const broken = route as unknown as (...input: readonly unknown[]) => never
    expect(await failure({ 'GET /x': broken({}, 'x') })).toContain(
      'route "GET /x": expected a handler function',
    )
    expect(await failure({ 'GET /x': broken({ guards: [handler, 'x'] }, handler) })).toContain(
      'route "GET /x": guards[1] must be a function, got "x"',
    )
    expect(await failure({ 'GET /x': broken({ guards: handler }, handler) })).toContain(
      'route "GET /x": guards must be a list of functions',
    )
    expect(await failure({ 'GET /x': broken({ guard: [handler] }, handler) })).toContain(
      'route "GET /x": unknown option "guard"; did you mean \'guards\'?',
    )
    expect(await failure({ 'GET /x': broken({ body: {} }, handler) })).toContain(
      'route "GET /x": body must be a Standard Schema',
    )
    expect(await failure({ 'GET /x': broken({ limits: { bodyBytes: 'lots' } }, handler) })).toContain(
      `route "GET /x": limits.bodyBytes: expected a size such as 65536 or '64kb', got 'lots'`,
    )
    expect(await failure({ 'GET /x': broken({ limits: { bodybytes: 1 } }, handler) })).toContain(
      `route "GET /x": limits.bodybytes: unknown option; did you mean 'bodyBytes'?`,
    )
    expect(await failure({ 'GET /x': broken({ hosts: ['http://x'] }, handler) })).toContain(
      'route "GET /x": hosts[0]: expected a host such as',
    )
    expect(await failure({ 'GET /x': broken(handler) })).toContain(
      'route "GET /x": expected route(options, handler)',
    )
  })

  test('the prefix and its options', async () => {
    const routes = { 'GET /x': handler }
    expect(await failure('api', routes)).toContain('prefix "api": expected a path that starts with "/"')
    expect(await failure('/api/', routes)).toContain('prefix "/api/": a prefix ends without "/"')
    expect(await failure('/api/*', routes)).toContain('prefix "/api/*": "?" and "*" cannot stand in a prefix')
    expect(await failure('/api/:v?', routes)).toContain(
      'prefix "/api/:v?": "?" and "*" cannot stand in a prefix',
    )
    expect(await failure('/api/:', routes)).toContain('prefix "/api/:": ":" begins a parameter')
    expect(await failure('/:id', { 'GET /:id': handler })).toContain(
      'route "GET /:id": two parameters are named "id"',
    )
    expect(await failure('/api', routes, { passthrough: true })).toContain(
      `unknown option "passthrough"; did you mean 'passThrough'?`,
    )
    expect(await failure('/api', routes, { passThrough: 'yes' })).toContain(
      'passThrough: expected true or false, got "yes"',
    )
    expect(await failure('/api', routes, true)).toContain('expected an object of options: passThrough')
    expect(await failure(routes, {}, {})).toContain('expected router(routes, options) or router(prefix,')
    expect(await failure(routes, { passThrough: true })).toContain(
      'passThrough: only a router with a prefix can pass on',
    )
    expect(await failure(routes, { trailingSlash: 'no' })).toContain(
      "trailingSlash: expected one of 'strict', 'ignore', 'redirect', got \"no\"",
    )
    expect(await failure(routes, { onError: {} })).toContain('onError: expected a function')
    expect(await failure(routes, { openapi: true })).toContain('openapi: expected an object such as { title')
    expect(await failure(routes, { openapi: { title: 'x' } })).toContain('openapi.version: expected a text')
    expect(await failure(routes, { openapi: { title: 'x', version: '1', path: 'x' } })).toContain(
      'openapi.path: expected a path',
    )
    expect(await failure(routes, { openapi: { title: 'x', version: '1', paths: {} } })).toContain(
      'openapi: unknown option "paths"',
    )
  })

  test.each([[undefined], [null], ['/api'], [[]], [42]])('no routes: %j', async input => {
    expect(await failure(input)).toContain('expected an object of routes')
  })
})

test('the plugin is listed once for each instance', async () => {
  const server = await createServer({
    sites: [{ name: 'test', plugins: [router({ 'GET /a': handler }), router({ 'GET /b': handler })] }],
  })
  const plugins = server.generation.taps().map(tap => tap.plugin)
  expect([...new Set(plugins)]).toEqual(['router', 'router#2'])
})
