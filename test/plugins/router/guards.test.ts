import { definePlugin, Handle, HttpError, type HttpRequest, HttpResponse, Slots } from 'rawhttp'
import { route, router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { serve } from './serve.ts'

const later = <T>(value: T): Promise<T> => new Promise(resolve => setImmediate(() => resolve(value)))

describe('the guards of a route', () => {
  test('run in order before the handler, sync and async ones mixed', async () => {
    const calls: string[] = []
    const note = (name: string) => void calls.push(name)
    const served = await serve(
      router({
        'GET /x': route(
          {
            guards: [
              () => note('sync'),
              async () => note(await later('async')),
              () => note('sync again'),
              () => later(undefined).then(() => note('last')),
            ],
          },
          () => {
            note('handler')
            return 'x'
          },
        ),
      }),
    )
    expect((await served.ask('GET /x')).text()).toBe('x')
    expect(calls).toEqual(['sync', 'async', 'sync again', 'last', 'handler'])
  })

  test.each([
    ['sync', [() => HttpResponse.error(401)]],
    ['async', [() => later(HttpResponse.error(401))]],
    ['behind an async one', [() => later(undefined), () => HttpResponse.error(401)]],
    ['async behind an async one', [() => later(undefined), () => later(HttpResponse.error(401))]],
  ])('end the request with their answer (%s)', async (_, guards) => {
    let runs = 0
    const after = () => void runs++
    const served = await serve(
      router({ 'GET /x': route({ guards: [...guards, after] }, () => String(runs++)) }),
    )
    expect((await served.ask('GET /x')).status).toBe(401)
    expect((await served.ask('HEAD /x')).status).toBe(401)
    expect(runs).toBe(0)
  })

  test.each([
    [
      'sync',
      [
        () => {
          throw new HttpError(403, 'no')
        },
      ],
    ],
    [
      'async',
      [
        () =>
          later(null).then(() => {
            throw new HttpError(403, 'no')
          }),
      ],
    ],
    [
      'behind an async one',
      [
        () => later(undefined),
        () => {
          throw new HttpError(403, 'no')
        },
      ],
    ],
  ])('may throw (%s)', async (_, guards) => {
    const served = await serve(router({ 'GET /x': route({ guards }, () => 'x') }))
    expect((await served.ask('GET /x')).status).toBe(403)
  })

  test('guard their own route only', async () => {
    const closed = () => HttpResponse.error(401)
    const served = await serve(
      router({ 'GET /x': route({ guards: [closed] }, () => 'x'), 'GET /y': route({}, () => 'y') }),
    )
    expect((await served.ask('GET /y')).text()).toBe('y')
    expect((await served.ask('GET /z')).status).toBe(404)
    expect((await served.ask('POST /x')).status).toBe(405)
  })

  test('run before the cache, which sees the route', async () => {
    const seen: unknown[] = []
    const cache = definePlugin({
      name: 'cache',
      site: site =>
        site.hooks.handle.tap({ name: 'cache', stage: Handle.Cache }, request => {
          seen.push(request.get(Slots.route))
          return HttpResponse.text('cached')
        }),
    })
    const needsToken = (request: HttpRequest) =>
      request.headers.has('authorization') ? undefined : HttpResponse.error(401)
    const served = await serve(
      cache,
      router({ 'GET /x/:id': route({ guards: [needsToken] }, () => 'fresh') }),
    )
    expect((await served.ask('GET /x/1')).status).toBe(401)
    expect(seen).toEqual([])
    expect((await served.ask('GET /x/1', { authorization: 'x' })).text()).toBe('cached')
    expect(seen).toEqual(['/x/:id'])
  })

  test('that answer with something else are a reported 500', async () => {
    const guard = (() => 'no') as unknown as () => undefined
    const served = await serve(router({ 'GET /x': route({ guards: [guard] }, () => 'x') }))
    expect((await served.ask('GET /x')).status).toBe(500)
    expect(served.reports[0]).toMatchObject({ plugin: 'router', tap: 'router:match' })
    expect(served.reports[0]?.message).toContain('expected an HttpResponse or nothing')
  })
})
