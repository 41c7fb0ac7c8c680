import {
  definePlugin,
  Handle,
  HttpResponse,
  type PluginServer,
  type PluginSite,
  type SlotHolder,
  Slots,
  slot,
} from 'rawhttp'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { onServer, onSite, requestOf, serve } from '../support/in-memory.ts'

describe('a slot', () => {
  test('has nothing until it is set', () => {
    const user = slot<string>('user')
    const request = requestOf()
    expect(request.get(user)).toBeUndefined()
    request.set(user, 'ada')
    expect(request.get(user)).toBe('ada')
    expect(requestOf().get(user)).toBeUndefined()
  })

  test('with a first value has it for each holder, made once', () => {
    let made = 0
    const visits = slot('visits', () => ({ count: ++made }))
    const [one, two] = [requestOf(), requestOf()]
    expect(made).toBe(0)
    expect([one.get(visits), two.get(visits)]).toEqual([{ count: 1 }, { count: 2 }])
    expect(one.get(visits)).toBe(one.get(visits))
    expect(made).toBe(2)
  })

  test('keeps values that are false, empty or null', () => {
    for (const value of [false, 0, '', null]) {
      const request = requestOf()
      for (const holds of [slot<unknown>('holds'), slot<unknown>('first', () => 'first')]) {
        request.set(holds, value)
        expect(request.get(holds)).toBe(value)
      }
    }
  })

  test('is told from another of the same name', () => {
    const [mine, yours] = [slot<string>('user'), slot<string>('user')]
    const request = requestOf()
    request.set(mine, 'ada')
    expect(request.get(yours)).toBeUndefined()
  })

  test('is undefined in its type only without a first value', () => {
    const request = requestOf()
    expectTypeOf(request.get(slot<string>('a'))).toEqualTypeOf<string | undefined>()
    expectTypeOf(request.get(slot('a', () => 1))).toEqualTypeOf<number>()
    // @ts-expect-error a slot of text takes no number
    request.set(slot<string>('a'), 1)
    // @ts-expect-error a first value is a value
    slot('a', () => undefined)
  })
})

describe('values are shared', () => {
  const Services = slot('services', () => [] as string[])

  test('by the plugins of one site, one server and one request, and by nobody else', async () => {
    const holders: { site: PluginSite; server: PluginServer; requests: SlotHolder[] }[] = []
    const one = definePlugin({
      name: 'one',
      server: server => void server.get(Services).push('server of one'),
      site: site => void site.get(Services).push(`${site.name} of one`),
    })
    const two = onSite('two', site => {
      site.get(Services).push(`${site.name} of two`)
      site.server.get(Services).push(`server of two on ${site.name}`)
      const requests: SlotHolder[] = []
      holders.push({ site, server: site.server, requests })
      site.hooks.handle.tap(
        { name: 'two', stage: Handle.Prepare },
        request => void request.set(Slots.user, 'ada'),
      )
      site.hooks.handle.tap({ name: 'two', stage: Handle.Route }, request => {
        requests.push(request)
        return HttpResponse.text(request.get(Slots.user) ?? 'nobody')
      })
    })
    const { ask } = await serve({
      plugins: [one(), two],
      sites: [{ name: 'a' }, { name: 'b', hosts: ['b'] }],
    })
    const [a, b, root] = holders.map(({ site }) => site.get(Services))
    expect(a).toEqual(['a of one', 'a of two'])
    expect(b).toEqual(['b of one', 'b of two'])
    expect(root).toEqual(['- of one', '- of two'])
    expect(holders[0]!.server.get(Services)).toEqual([
      'server of one',
      'server of two on a',
      'server of two on b',
      'server of two on -',
    ])
    expect((await ask()).text()).toBe('ada')
    expect(holders[0]!.requests[0]!.get(Services)).toEqual([])
  })

  test('anew in each generation', async () => {
    const seen: string[][] = []
    const plugin = definePlugin({
      name: 'p',
      server(server) {
        server.get(Services).push('x')
        seen.push(server.get(Services))
      },
    })
    const { reload } = await serve([plugin()])
    await reload({ plugins: [plugin()] })
    expect(seen).toEqual([['x'], ['x']])
  })
})

test('core has the keys that plugins need to meet', () => {
  expect(Object.keys(Slots)).toEqual([
    'requestId',
    'user',
    'route',
    'cacheStatus',
    'cache',
    'health',
    'metrics',
  ])
})

test('what plugins offer is read in the order in which they were set up, by whoever wants to', async () => {
  const names: string[] = []
  const offers = (name: string) =>
    onServer(name, server => server.get(Slots.health).add({ name, run: () => undefined }))
  const reads = onServer('reads', server =>
    server.hooks.start.tap('reads', () => {
      for (const { name } of server.get(Slots.health)) names.push(name)
    }),
  )
  const { ask } = await serve([offers('one'), reads, offers('two')])
  await ask()
  expect(names).toEqual(['one', 'two'])
})
