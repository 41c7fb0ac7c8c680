import { Handle, HttpError, HttpResponse, Slots, scope, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { serveTraced, shortly } from './serve-traced.ts'

const answers = (name: string, make: () => HttpResponse, stage: number = Handle.Route) =>
  onSite(name, site => site.hooks.handle.tap({ name, stage }, make))
const passes = (name: string, stage: number) =>
  onSite(name, site => site.hooks.handle.tapAsync({ name, stage }, (_request, callback) => callback()))
const text = () => HttpResponse.text('hello')

describe('the steps of a trace are the taps in their order, with what each did', () => {
  test('passed, answered, not asked', async () => {
    const { trace } = await serveTraced([
      passes('guard', Handle.Guard),
      answers('cache', text, Handle.Cache),
      passes('late', Handle.Static),
    ])
    expect(shortly(await trace())).toEqual([
      'handle guard: passed',
      'handle cache: answered 200',
      'handle late: not-asked cache answered before',
    ])
  })

  test('with place, stage and times', async () => {
    const { trace } = await serveTraced([passes('guard', Handle.Guard - 20), answers('route', text)])
    const { steps } = await trace()
    expect(steps[0]).toMatchObject({
      by: 'plugin',
      hook: 'handle',
      plugin: 'guard',
      tap: 'guard',
      stage: -320,
      stageName: 'Handle.Guard - 20',
      configured: { file: import.meta.filename },
      tapped: { file: import.meta.filename },
    })
    const [guard, route] = steps as readonly { at: number; milliseconds: number }[]
    expect(guard!.at).toBeGreaterThanOrEqual(0)
    expect(guard!.milliseconds).toBeGreaterThanOrEqual(0)
    expect(route!.at).toBeGreaterThanOrEqual(guard!.at + guard!.milliseconds)
  })

  test('an async tap takes as long as it waits, and a promise tap is one', async () => {
    const waits = onSite('waits', site =>
      site.hooks.handle.tapPromise({ name: 'waits', stage: Handle.Guard }, async () => {
        const until = performance.now() + 5
        while (performance.now() < until) await new Promise(resolve => setImmediate(resolve))
      }),
    )
    const { trace } = await serveTraced([waits, answers('route', text)])
    const [step] = (await trace()).steps
    expect(step).toMatchObject({ tap: 'waits', result: 'passed' })
    expect((step as { milliseconds: number }).milliseconds).toBeGreaterThanOrEqual(4.9)
  })

  test('out of scope, for taps of every kind', async () => {
    const all = onSite('all', ({ hooks }) => {
      hooks.handle.tap({ name: 'sync', stage: 1 }, () => undefined)
      hooks.handle.tapAsync({ name: 'async', stage: 2 }, (_request, callback) => callback())
      hooks.transform.tap({ name: 'shape', stage: 0 }, () => undefined)
      hooks.transform.tapPromise({ name: 'later', stage: 1 }, async () => undefined)
      hooks.deliver.tap('deliver', () => undefined)
      hooks.done.tap('done', () => undefined)
    })
    const { trace } = await serveTraced([scope({ path: '/in' }, [all]), answers('route', text, 3)])
    const inside = shortly(await trace('/in'))
    const outside = shortly(await trace('/out'))
    expect(inside.filter(line => line.endsWith('passed'))).toHaveLength(6)
    expect(outside.filter(line => line.endsWith('out-of-scope'))).toHaveLength(6)
  })

  test('what a tap did to the request', async () => {
    const plugin = onSite('p', ({ hooks }) => {
      hooks.handle.tap({ name: 'rewrites', stage: Handle.Prepare }, request => request.rewrite('/new?a=1'))
      hooks.handle.tap({ name: 'restricts', stage: Handle.Guard }, request => request.restrict('cookie'))
      hooks.handle.tap({ name: 'allows', stage: Handle.Route }, request => request.allow('GET', 'PUT'))
    })
    const { trace } = await serveTraced([plugin])
    const { steps, request } = await trace('/old')
    expect([request.target, request.path]).toEqual(['/old', '/new?a=1'])
    expect(steps.slice(0, 3).flatMap(step => step.changes)).toEqual([
      { what: 'request', note: 'rewrote the target to /new?a=1' },
      { what: 'request', note: 'said that the answer depends on who the client is: cookie' },
      { what: 'request', note: 'knows the path, with GET, PUT' },
    ])
  })

  test('what a tap did to the response: status, body, fields', async () => {
    const changes = onSite('changes', ({ hooks: { transform } }) => {
      transform.tap({ name: 'in place', stage: 0 }, response => {
        response.status = 201
        response.set('x-a', '1').delete('x-gone')
      })
      transform.tap({ name: 'another', stage: 1 }, response => HttpResponse.html('<p>', response.status))
    })
    const { trace } = await serveTraced([
      answers('route', () => HttpResponse.text('hello', { headers: { 'x-gone': 'x' } })),
      changes,
    ])
    const [, first, second] = (await trace()).steps
    expect(first!.changes).toEqual([
      { what: 'status', from: 200, to: 201 },
      { what: 'field', name: 'x-gone', from: 'x', to: null, rule: null },
      { what: 'field', name: 'x-a', from: null, to: '1', rule: null },
    ])
    expect(second!.changes[0]).toEqual({
      what: 'body',
      from: { kind: 'text', bytes: 5 },
      to: { kind: 'text', bytes: 3 },
    })
    expect(shortly(await trace()).slice(1)).toEqual([
      'transform in place: changed',
      'transform another: changed',
    ])
  })

  test('a throw, and whom it kept from being asked', async () => {
    const refuses = onSite('refuses', site =>
      site.hooks.handle.tap({ name: 'refuses', stage: Handle.Guard }, () => {
        throw new HttpError(403, 'not you')
      }),
    )
    const { trace } = await serveTraced([refuses, answers('route', text)])
    const found = await trace()
    expect(shortly(found)).toEqual([
      'handle refuses: threw 403 not you',
      'handle route: not-asked refuses threw before',
      'kernel: the error has no body yet: it gets a text',
    ])
    expect(found.answer).toMatchObject({ status: 403, source: { by: 'plugin', plugin: 'refuses' } })
  })

  test('a throw that is no HttpError is a 500, with its fault', async () => {
    const fails = onSite('fails', site =>
      site.hooks.handle.tapPromise({ name: 'fails', stage: Handle.Guard }, async () => {
        throw new Error('secret')
      }),
    )
    const found = await (await serveTraced([fails])).trace()
    expect(shortly(found).slice(0, 2)).toEqual([
      'handle fails: threw secret',
      'kernel: what is thrown and is no HttpError is a 500, its text hidden 500',
    ])
    expect(found.faults).toEqual([
      { code: 'TAP_FAILED', message: 'plugin "fails", handle tap "fails" failed: secret' },
    ])
  })

  test('a tap that comes not back in time', async () => {
    const hangs = onSite('hangs', site =>
      site.hooks.handle.tapAsync({ name: 'hangs', stage: Handle.Guard }, () => undefined),
    )
    const { trace } = await serveTraced({
      plugins: [hangs, answers('route', text)],
      limits: { handlerTimeout: 20 },
    })
    expect(shortly(await trace()).slice(0, 3)).toEqual([
      'handle hangs: unfinished',
      'kernel: limits.handlerTimeout (20 ms) passed 503',
      'handle route: not-asked hangs did not come back in time',
    ])
  })

  test('taps of error and of deliver', async () => {
    const shapes = onSite('shapes', ({ hooks }) => {
      hooks.error.tap('first', ({ status }) => HttpResponse.json({ status }, status))
      hooks.error.tap('second', () => undefined)
      hooks.deliver.tap('adds', response => void response.set('x-a', '1'))
    })
    const found = await (await serveTraced([shapes])).trace()
    expect(shortly(found)).toEqual([
      'kernel: nobody answered 404',
      'error first: answered 404',
      'error second: not-asked shapes answered before',
      'deliver adds: changed',
    ])
    expect(found.answer!.source).toMatchObject({ by: 'plugin', plugin: 'shapes', hook: 'error' })
  })

  test('transform taps that a finished answer does not need', async () => {
    const shapes = onSite('shapes', site =>
      site.hooks.transform.tap({ name: 'shapes', stage: Transform.Shape }, () => undefined),
    )
    const { trace } = await serveTraced([answers('cache', () => text().transformed()), shapes])
    expect(shortly(await trace())).toContain(
      'transform shapes: not-asked the answer is marked as transformed already',
    )
  })

  test('a second failure, after which the kernel answers alone', async () => {
    const fails = onSite('fails', site =>
      site.hooks.deliver.tap('fails', () => {
        throw new Error('x')
      }),
    )
    const behind = onSite('behind', site => site.hooks.deliver.tap('behind', () => undefined))
    const found = await (await serveTraced([answers('route', text), fails, behind])).trace()
    expect(shortly(found).slice(1)).toEqual([
      'deliver fails: threw x',
      'kernel: a second failure: the kernel answers without hooks 500',
      'deliver behind: not-asked fails threw before',
    ])
    expect(found.answer).toMatchObject({ status: 500, source: { by: 'kernel' } })
    expect(found.answer!.fields.find(({ name }) => name === 'content-type')!.source.by).toBe('kernel')
  })
})

test('what plugins have noted of the request is in it', async () => {
  const notes = onSite('notes', site =>
    site.hooks.handle.tap({ name: 'notes', stage: 0 }, request => {
      request.set(Slots.requestId, 'id-1')
      request.set(Slots.route, '/:a')
      request.set(Slots.cacheStatus, 'hit')
    }),
  )
  const { request } = await (await serveTraced([notes])).trace()
  expect(request).toMatchObject({ id: 'id-1', route: '/:a', cacheStatus: 'hit' })
})
