import { type } from 'arktype'
import { type HttpHeaders, HttpResponse, type PluginEntry } from 'rawhttp'
import { type PathParams, type RouteParams, route, router } from 'rawhttp/plugins/router'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

const guard = () => undefined

describe('the parameters of a pattern', () => {
  test('are strings by their names', () => {
    expectTypeOf<PathParams<'/users/:id/posts/:post_2'>>().toEqualTypeOf<{
      readonly id: string
      readonly post_2: string
    }>()
    expectTypeOf<PathParams<'/files/:name.:ext'>>().toEqualTypeOf<{
      readonly name: string
      readonly ext: string
    }>()
    expectTypeOf<PathParams<'/from/:a-:b'>>().toEqualTypeOf<{ readonly a: string; readonly b: string }>()
    expectTypeOf<keyof PathParams<'/plain'>>().toBeNever()
    expectTypeOf<keyof PathParams<'/v1/users::bulk'>>().toBeNever()
  })

  test('may be missing when they are optional', () => {
    expectTypeOf<PathParams<'/posts/:page?'>>().toEqualTypeOf<{ readonly page?: string | undefined }>()
  })

  test('are one more for a wildcard', () => {
    expectTypeOf<PathParams<'/files/:user/*'>>().toEqualTypeOf<{
      readonly user: string
      readonly '*': string
    }>()
  })

  test('do not take colons, stars and question marks of a regular expression for their own', () => {
    expectTypeOf<PathParams<'/a/:id(\\d+)'>>().toEqualTypeOf<{ readonly id: string }>()
    expectTypeOf<PathParams<'/a/:id((?:x|\\)y)*)/:z'>>().toEqualTypeOf<{
      readonly id: string
      readonly z: string
    }>()
    expectTypeOf<PathParams<'/a/:page(\\d*)?'>>().toEqualTypeOf<{ readonly page?: string | undefined }>()
  })

  test('are any names when the pattern is known only at run time', () => {
    expectTypeOf<PathParams<string>>().toEqualTypeOf<{ readonly [name: string]: string | undefined }>()
    expectTypeOf<RouteParams<string>>().toEqualTypeOf<{ readonly [name: string]: string | undefined }>()
  })

  test('come from key and prefix together', () => {
    expectTypeOf<RouteParams<'GET /users/:id', '/orgs/:org'>>().toEqualTypeOf<{
      readonly org: string
      readonly id: string
    }>()
  })
})

// Nothing here is served: what counts is that tsc takes it, and refuses what is marked.
describe('the table', () => {
  test('gives a handler the parameters of its key', () => {
    const entry = router({
      'GET /users/:id': ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>()
        return { id: params.id }
      },
      'POST /users/:id/posts': async ({ params, query, body, cookies }) => {
        expectTypeOf(params.id).toEqualTypeOf<string>()
        expectTypeOf(query).toEqualTypeOf<URLSearchParams>()
        expectTypeOf(cookies.get('session')).toEqualTypeOf<string | undefined>()
        expectTypeOf(body.json).returns.toEqualTypeOf<Promise<unknown>>()
        return null
      },
    })
    expectTypeOf(entry).toEqualTypeOf<PluginEntry>()
  })

  test('gives a handler the parameters of the prefix too', () => {
    router('/orgs/:org', {
      'GET /users/:id': ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly org: string; readonly id: string }>()
        return params.org + params.id
      },
      'GET /': ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly org: string }>()
        return null
      },
    })
    router('/spa', { 'GET /x': () => 'x' }, { passThrough: true })
  })

  test('gives a handler inside route() the parameters of key and prefix', () => {
    router('/orgs/:org', {
      'DELETE /users/:id': route({ guards: [guard] }, ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly org: string; readonly id: string }>()
        return null
      }),
    })
  })

  test('gives a handler what the schemas make, and the raw form of the rest', () => {
    const number = z.coerce.number()
    router('/orgs/:org', {
      'POST /users/:id': route(
        { body: z.object({ name: z.string() }) },
        ({ params, query, headers, body }) => {
          expectTypeOf(params).toEqualTypeOf<{ readonly org: string; readonly id: string }>()
          expectTypeOf(query).toEqualTypeOf<URLSearchParams>()
          expectTypeOf(headers).toEqualTypeOf<HttpHeaders>()
          expectTypeOf(body).toEqualTypeOf<{ name: string }>()
          return body.name
        },
      ),
      'GET /users/:id': route({ params: z.object({ id: number }), guards: [guard] }, ({ params, body }) => {
        expectTypeOf(params).toEqualTypeOf<{ id: number }>()
        expectTypeOf(body.text).returns.toEqualTypeOf<Promise<string>>()
        return params
      }),
      'GET /users': route(
        { query: v.object({ page: v.optional(v.string(), '1') }), headers: type({ 'x-tenant': 'string' }) },
        ({ query, headers }) => {
          expectTypeOf(query).toEqualTypeOf<{ page: string }>()
          expectTypeOf(headers).toEqualTypeOf<{ 'x-tenant': string }>()
          return null
        },
      ),
    })
  })

  test('takes a route with schemas that was defined apart', () => {
    const apart = route({ params: z.object({ id: z.coerce.number() }) }, ({ params }) => {
      expectTypeOf(params.id).toEqualTypeOf<number>()
      return null
    })
    router({ 'GET /users/:id': apart })
  })

  test('refuses a misspelt part, and what is no schema', () => {
    router({
      // @ts-expect-error the part is "params"
      'GET /a/:id': route({ parms: z.object({}) }, () => null),
      // @ts-expect-error no Standard Schema
      'GET /b/:id': route({ params: { id: Number } }, () => null),
    })
  })

  test('takes options with and without a prefix', () => {
    router(
      { 'GET /x': () => null },
      {
        trailingSlash: 'ignore',
        onError: error => (error.status === 404 ? HttpResponse.empty() : undefined),
      },
    )
    // @ts-expect-error no such policy
    router({ 'GET /x': () => null }, { trailingSlash: 'loose' })
    router('/api', { 'GET /x': () => null }, { openapi: { title: 'x', version: '1' } })
  })

  test('takes a route that was defined apart', () => {
    const any = route({}, ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly [name: string]: string | undefined }>()
      const { id } = params
      return id ?? null
    })
    const named = route<'GET /users/:id'>({}, ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>()
      return params.id
    })
    router({ 'GET /users/:id': named, 'GET /posts/:id': any })
    // @ts-expect-error the key has no parameter "id"
    router({ 'GET /users': named })
  })

  test('takes every kind of answer, sync and async', () => {
    interface User {
      readonly id: number
    }
    const user: User = { id: 1 }
    router({
      'GET /response': () => HttpResponse.text('x'),
      'GET /text': () => 'x',
      'GET /bytes': () => new Uint8Array(1),
      'GET /stream': async function* () {
        yield 'x'
      },
      'GET /object': () => ({ hello: 'x' }),
      'GET /interface': () => user,
      'GET /list': async () => [user],
      'GET /null': async () => null,
      'GET /either': ({ params: _ }) => (Math.random() > 1 ? null : { a: 1 }),
    })
  })

  test('refuses an unknown parameter', () => {
    router({
      // @ts-expect-error the key says :id
      'GET /users/:id': ({ params }) => params.name,
    })
    router('/orgs/:org', {
      // @ts-expect-error the prefix says :org
      'GET /users/:id': route({}, ({ params }) => params.organisation),
    })
  })

  test('refuses an unknown method and a key without a path', () => {
    router({
      'GET /fine/:id': ({ params }) => params.id,
      // @ts-expect-error no such method
      'FETCH /users': () => null,
    })
    // @ts-expect-error a path begins with a slash
    router({ 'GET users': () => null })
    // @ts-expect-error so does a prefix
    router('api', { 'GET /users': () => null })
  })

  test('refuses an answer of undefined, number or boolean', () => {
    // @ts-expect-error nothing is no answer
    router({ 'GET /users': () => {} })
    // @ts-expect-error nor later
    router({ 'GET /users': async () => {} })
    // @ts-expect-error a number has no clear form
    router({ 'GET /users': () => 1 })
  })

  test('refuses an unknown option', () => {
    // @ts-expect-error misspelt
    router('/api', { 'GET /users': () => null }, { passthrough: true })
    // @ts-expect-error misspelt
    router({ 'GET /users': route({ guard: [guard] }, () => null) })
    // @ts-expect-error a guard answers with a response
    router({ 'GET /users': route({ guards: [() => 'no'] }, () => null) })
  })
})
