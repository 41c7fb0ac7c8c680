import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { HttpResponse, type PluginEntry } from 'rawhttp'
import { route, router } from 'rawhttp/plugins/router'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { serve } from './serve.ts'

const info = { title: 'Things', version: '1.2.3' }
const handler = () => null

interface Operation {
  readonly parameters?: readonly Readonly<Record<string, unknown>>[]
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> }
  readonly responses: Readonly<Record<string, unknown>>
}
interface Document {
  readonly openapi: string
  readonly info: object
  readonly servers?: unknown
  readonly paths: Readonly<Record<string, { readonly get?: Operation; readonly post?: Operation }>>
}

async function documentOf(plugin: PluginEntry): Promise<Document> {
  const { ask } = await serve(plugin)
  const answer = await ask('GET /api/openapi.json')
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  return answer.json() as Document
}

describe('the document', () => {
  test('lists paths and methods below the prefix, without itself', async () => {
    const {
      openapi,
      info: told,
      paths,
    } = await documentOf(
      router(
        '/api',
        { 'GET /users': handler, 'POST /users': handler, 'GET /users/:id': handler, 'LOCK /x': handler },
        { openapi: info },
      ),
    )
    expect([openapi, told]).toEqual(['3.1.1', info])
    expect(paths).toEqual({
      '/api/users': { get: expect.anything(), post: expect.anything() },
      '/api/users/{id}': { get: expect.anything() },
    })
  })

  test('writes parameters as OpenAPI does', async () => {
    const { paths } = await documentOf(
      router(
        '/api',
        { 'GET /a/:id(\\d+)': handler, 'GET /b/:page?': handler, 'GET /c/*': handler },
        { openapi: info },
      ),
    )
    const of = (path: string) => paths[path]?.get?.parameters
    const text = { type: 'string' }
    expect(of('/api/a/{id}')).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^(?:(\\d+))$' } },
    ])
    expect(of('/api/b/{page}')).toEqual([{ name: 'page', in: 'path', required: true, schema: text }])
    expect(of('/api/b')).toBeUndefined()
    expect(of('/api/c/{*}')).toEqual([{ name: '*', in: 'path', required: true, schema: text }])
  })

  test.each([
    ['zod', z.object({ n: z.number(), s: z.string().optional() })],
    ['arktype', type({ n: 'number', 's?': 'string' })],
    ['valibot', toStandardJsonSchema(v.object({ n: v.number(), s: v.optional(v.string()) }))],
  ])('has the schemas of %s', async (_, schema) => {
    const all = route({ query: schema, headers: schema, body: schema }, handler)
    const { paths } = await documentOf(router('/api', { 'POST /x': all }, { openapi: info }))
    const { parameters, requestBody, responses } = paths['/api/x']!.post!
    const number = expect.objectContaining({ type: 'number' })
    const text = expect.objectContaining({ type: 'string' })
    expect(parameters).toHaveLength(4)
    for (const place of ['query', 'header']) {
      expect(parameters).toContainEqual({ name: 'n', in: place, required: true, schema: number })
      expect(parameters).toContainEqual({ name: 's', in: place, schema: text })
    }
    expect(requestBody?.content['application/json']).toEqual({
      schema: expect.objectContaining({ type: 'object', required: ['n'] }),
    })
    expect(Object.keys(responses)).toEqual(['422', 'default'])
  })

  test('lists a route whose schema has no JSON form without it', async () => {
    const { paths } = await documentOf(
      router(
        '/api',
        {
          'POST /plain': route({ body: v.object({ n: v.number() }) }, handler),
          'POST /bigint': route({ body: z.object({ n: z.bigint() }) }, handler),
        },
        { openapi: info },
      ),
    )
    expect(paths['/api/plain']?.post?.requestBody).toBeUndefined()
    expect(paths['/api/bigint']?.post?.requestBody).toBeUndefined()
  })

  test('takes what a route and the router say of themselves', async () => {
    const { paths, servers } = await documentOf(
      router(
        '/api',
        {
          'GET /x': route(
            { openapi: { summary: 'All x', responses: { 200: { description: 'x' } } } },
            handler,
          ),
        },
        { openapi: { ...info, document: { servers: [{ url: 'https://example.com' }] } } },
      ),
    )
    expect(servers).toEqual([{ url: 'https://example.com' }])
    expect(paths['/api/x']?.get).toEqual({ summary: 'All x', responses: { 200: { description: 'x' } } })
  })

  test('may be guarded, and be elsewhere', async () => {
    const guards = [() => HttpResponse.empty(401)]
    const { ask } = await serve(
      router({ 'GET /x': handler }, { openapi: { ...info, path: '/docs.json', guards } }),
    )
    expect((await ask('GET /docs.json')).status).toBe(401)
    expect((await ask('GET /openapi.json')).status).toBe(404)
  })
})
