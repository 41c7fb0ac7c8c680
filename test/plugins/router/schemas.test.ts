import { type } from 'arktype'
import { definePlugin, Handle, HttpResponse, type StandardSchema } from 'rawhttp'
import { route, router, ValidationError } from 'rawhttp/plugins/router'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { turns } from '../../support/turns.ts'
import { serve } from './serve.ts'

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const libraries = {
  zod: {
    params: z.object({ id: z.coerce.number().int() }),
    query: z.object({ page: z.coerce.number().default(1), tag: z.array(z.string()).optional() }),
    headers: z.object({ 'x-tenant': z.string() }),
    body: z.object({ name: z.string().min(1), tags: z.array(z.string()) }),
  },
  valibot: {
    params: v.object({ id: v.pipe(v.string(), v.toNumber(), v.integer()) }),
    query: v.object({
      page: v.optional(v.pipe(v.string(), v.toNumber()), '1'),
      tag: v.optional(v.array(v.string())),
    }),
    headers: v.object({ 'x-tenant': v.string() }),
    body: v.object({ name: v.pipe(v.string(), v.minLength(1)), tags: v.array(v.string()) }),
  },
  arktype: {
    params: type({ id: 'string.integer.parse' }),
    query: type({ page: 'string.numeric.parse = "1"', 'tag?': 'string[]' }),
    headers: type({ 'x-tenant': 'string' }),
    body: type({ name: 'string > 0', tags: 'string[]' }),
  },
}

describe.each(Object.entries(libraries))('with schemas of %s', (_, { params, query, headers, body }) => {
  const served = () =>
    serve(
      router({
        'POST /users/:id': route({ params, query, headers, body }, context => ({
          id: context.params.id,
          query: context.query,
          tenant: context.headers['x-tenant'],
          body: context.body,
          cookie: context.cookies.get('a'),
        })),
      }),
    )

  test('the handler gets what the schemas make', async () => {
    const { ask } = await served()
    const fields = { ...json, 'x-tenant': 't', cookie: 'a=1' }
    const answer = await ask('POST /users/7?tag=a&tag=b', fields, '{"name":"Ann","tags":[]}')
    expect(answer.json()).toEqual({
      id: 7,
      query: { page: 1, tag: ['a', 'b'] },
      tenant: 't',
      body: { name: 'Ann', tags: [] },
      cookie: '1',
    })
  })

  test('what they refuse is 422 with every issue and its path', async () => {
    const { ask } = await served()
    const answer = await ask('POST /users/x?page=y', json, '{"name":"Ann","tags":["a",1]}')
    expect(answer.status).toBe(422)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const problem = answer.json() as { errors: { in: string; path: unknown; message: string }[] }
    expect(problem).toMatchObject({ status: 422, title: 'Unprocessable Content' })
    expect(problem.errors.map(({ in: part, path }) => [part, path])).toEqual([
      ['params', ['id']],
      ['query', ['page']],
      ['headers', ['x-tenant']],
      ['body', ['tags', 1]],
    ])
    expect(problem.errors.every(({ message }) => message !== '')).toBe(true)
  })

  test('the path of an issue with a part as a whole is empty', async () => {
    const { ask } = await serve(router({ 'POST /': route({ body }, () => 'x') }))
    expect((await ask('POST /', json, '7')).json()).toMatchObject({ errors: [{ in: 'body', path: [] }] })
  })
})

describe('a body with a schema', () => {
  const echo = router({
    'POST /': route({ body: z.unknown() }, ({ body }) => ({ body: body === undefined ? 'nothing' : body })),
    'POST /text': route({ body: z.string() }, ({ body }) => body.toUpperCase()),
  })

  test.each([
    ['JSON', json, '{"a":[1]}', { a: [1] }],
    ['JSON of a kind of its own', { 'content-type': 'application/vnd.x+json' }, '[]', []],
    ['JSON without a type', {}, '"x"', 'x'],
    ['a form', form, 'a=1&b=2&a=3', { a: ['1', '3'], b: '2' }],
    ['a form with the name __proto__', form, '__proto__=1', JSON.parse('{"__proto__":"1"}')],
    ['text', { 'content-type': 'text/plain' }, '{"a"', '{"a"'],
  ])('is read as what it is: %s', async (_, headers, body, expected) => {
    const { ask } = await serve(echo)
    expect((await ask('POST /', headers as Record<string, string>, body)).json()).toEqual({ body: expected })
  })

  test('that is not there is undefined', async () => {
    const { ask } = await serve(echo)
    expect((await ask('POST /')).json()).toEqual({ body: 'nothing' })
    expect((await ask('POST /text')).status).toBe(422)
  })

  test.each([
    [400, json, '{"a":'],
    [415, { 'content-type': 'application/xml' }, '<a/>'],
    [413, json, `"${'x'.repeat(1_048_577)}"`],
  ])('that cannot be read is %i', async (status, headers, body) => {
    const { ask } = await serve(echo)
    expect((await ask('POST /', headers, body)).status).toBe(status)
  })

  test('is not read when the guards answer', async () => {
    const refuses = route({ body: z.string(), guards: [() => HttpResponse.empty(401)] }, () => 'x')
    const { ask } = await serve(router({ 'POST /': refuses }))
    expect((await ask('POST /', json, '{"a":')).status).toBe(401)
  })
})

describe('a schema', () => {
  const answering = (result: unknown): StandardSchema => ({
    '~standard': { version: 1, vendor: 'test', validate: () => result as never },
  })

  test('that finds no fault by name, and yet refuses, is heard', async () => {
    const { ask } = await serve(router({ 'GET /': route({ query: answering({ issues: [] }) }, () => 'ran') }))
    const answer = await ask('GET /')
    expect([answer.status, answer.json()]).toMatchObject([422, { errors: [] }])
  })

  test.each([
    ['nothing', undefined],
    ['a boolean', true],
    ['nothing, later', Promise.resolve(undefined)],
  ])('that answers %s lets nobody through', async (_, result) => {
    const { ask, reports } = await serve(
      router({ 'GET /': route({ query: answering(result) }, () => 'ran') }),
    )
    expect((await ask('GET /')).status).toBe(500)
    expect(reports.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /the schema of query answered (?:undefined|true); expected \{ value \} or \{ issues \}/,
      ),
    ])
  })

  test('may check by a promise, for any part', async () => {
    const later = z.object({ name: z.string().refine(async name => name !== 'taken', 'is taken') })
    const { ask } = await serve(router({ 'GET /': route({ query: later }, ({ query }) => query.name) }))
    expect((await ask('GET /?name=free')).text()).toBe('free')
    expect((await ask('GET /?name=taken')).json()).toMatchObject({
      errors: [{ in: 'query', path: ['name'], message: 'is taken' }],
    })
  })

  test('that throws is an error of the server, which names the plugin', async () => {
    const broken = z.string().transform(() => {
      throw new Error('out of order')
    })
    const { ask, reports } = await serve(router({ 'POST /': route({ body: broken }, () => 'x') }))
    expect((await ask('POST /', json, '"x"')).status).toBe(500)
    expect(reports[0]).toMatchObject({ plugin: 'router', message: expect.stringContaining('out of order') })
  })

  // A rejection that nobody hears of would end the process, and the test run with it.
  test('that throws beside one that fails later leaves nobody in the lurch', async () => {
    const of = (validate: () => Promise<never>): StandardSchema => ({
      '~standard': { version: 1, vendor: 'test', validate },
    })
    const failing = of(() => Promise.reject(new Error('the database is gone')))
    const throwing = of(() => {
      throw new Error('broken schema')
    })
    const { ask, reports } = await serve(
      router({ 'GET /': route({ params: failing, query: throwing }, () => 'x') }),
    )
    expect((await ask('GET /')).status).toBe(500)
    expect(reports[0]!.message).toContain('broken schema')
    await turns(2)
  })

  test('leaves the other parts raw', async () => {
    const only = route({ query: z.object({ a: z.string() }) }, ({ params: { id }, headers, body, query }) => [
      id,
      headers.get('x-a'),
      body.isEmpty,
      query.a,
    ])
    const { ask } = await serve(router({ 'GET /:id': only }))
    expect((await ask('GET /1?a=2', { 'x-a': 'b' })).json()).toEqual(['1', 'b', true, '2'])
  })

  test('may make undefined of a part', async () => {
    const nothing = z.any().transform(() => undefined)
    const { ask } = await serve(router({ 'GET /': route({ query: nothing }, ({ query }) => typeof query) }))
    expect((await ask('GET /?a')).text()).toBe('undefined')
  })
})

test('an answer to a list of wrong items has at most 1,000 issues, and says how many more there are', async () => {
  const { ask } = await serve(
    router({ 'POST /': route({ body: z.array(z.string()), limits: { bodyBytes: '1mb' } }, () => 'x') }),
  )
  const answer = await ask('POST /', json, JSON.stringify(new Array(1_500).fill(0)))
  const { errors, more } = answer.json() as { errors: unknown[]; more: number }
  expect([errors.length, more]).toEqual([1_000, 500])
})

test('another plugin may answer what the schemas refuse', async () => {
  const shaped = definePlugin({
    name: 'shaped',
    site: ({ hooks }) =>
      hooks.error.tap('shaped', error =>
        error instanceof ValidationError
          ? HttpResponse.json({ wrong: error.issues.map(({ path }) => path.join('.')) }, 400)
          : undefined,
      ),
  })
  const { ask } = await serve(
    shaped(),
    router({ 'GET /': route({ query: z.object({ a: z.string() }) }, () => 'x') }),
  )
  const answer = await ask('GET /')
  expect([answer.status, answer.json()]).toEqual([400, { wrong: ['a'] }])
})

test('guards run before the schemas', async () => {
  const order: string[] = []
  const noted = z.any().transform(() => void order.push('schema'))
  const guards = [() => void order.push('guard')]
  const { ask } = await serve(router({ 'GET /': route({ query: noted, guards }, () => 'x') }))
  await ask('GET /')
  expect(order).toEqual(['guard', 'schema'])
})

test('a cache behind the guards is asked before the schemas', async () => {
  const cache = definePlugin({
    name: 'cached',
    site: ({ hooks }) =>
      hooks.handle.tap({ name: 'cached', stage: Handle.Cache }, () => HttpResponse.text('kept')),
  })
  const { ask } = await serve(
    router({ 'GET /': route({ query: z.object({ a: z.string() }) }, () => 'x') }),
    cache(),
  )
  expect((await ask('GET /')).text()).toBe('kept')
})
