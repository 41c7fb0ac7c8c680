import { HttpError, type HttpRequest, HttpResponse, type InjectedResponse, Transform } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { describe, expect, test } from 'vitest'
import { onSite } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'
import { cached, origin, statusOf, stoppedClock } from './origin.ts'

const FRESH = { 'cache-control': 'max-age=60' }

/** A handler that answers when it is told to. */
function gated(answer: (run: number) => HttpResponse | Promise<HttpResponse>) {
  const gates: PromiseWithResolvers<void>[] = []
  const respond = async (_request: HttpRequest, run: number) => {
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    await gate.promise
    return answer(run)
  }
  return { respond, gates, open: (run: number) => gates[run - 1]!.resolve() }
}

const texts = (answers: readonly InjectedResponse[]) => [...new Set(answers.map(answer => answer.text()))]

describe('requests that miss the same thing at the same time', () => {
  test('run the handler once, a thousand of them', async () => {
    const { respond, open } = gated(run => HttpResponse.text(`run ${run}`, { headers: FRESH }))
    const site = await cached(respond)
    const asked = Array.from({ length: 1_000 }, () => site.ask('/a'))
    await turns()
    open(1)
    const answers = await Promise.all(asked)
    expect(texts(answers)).toEqual(['run 1'])
    expect(site.runs).toBe(1)
    expect(statusOf(answers[0]!)).toBe('fwd=uri-miss; stored')
    expect(statusOf(answers[999]!)).toBe('fwd=uri-miss; collapsed; ttl=60')
    expect(site.service.stats).toMatchObject({ entries: 1, stored: 1, hits: 999, misses: 1 })
  })

  test('get what was made for them however short its life is', async () => {
    const { respond, open } = gated(run =>
      HttpResponse.text(`run ${run}`, { headers: { 'cache-control': 'max-age=0, stale-if-error=60' } }),
    )
    const site = await cached(respond)
    const asked = Array.from({ length: 50 }, () => site.ask())
    await turns()
    open(1)
    expect(texts(await Promise.all(asked))).toEqual(['run 1'])
    expect(site.runs).toBe(1)
  })

  test('go on alone when the handler fails, and all at once', async () => {
    const { respond, gates, open } = gated(run => {
      if (run === 1) throw new HttpError(500)
      return HttpResponse.text(`run ${run}`, { headers: FRESH })
    })
    const site = await cached(respond)
    const asked = Array.from({ length: 10 }, () => site.ask())
    await turns()
    open(1)
    await turns()
    expect(gates.length).toBe(10)
    for (const gate of gates) gate.resolve()
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses).toEqual([500, ...Array.from({ length: 9 }, () => 200)])
  })

  test('go on alone when the answer is not for the store, and nobody waits for the next 10 s', async () => {
    const clock = stoppedClock()
    const { respond, gates } = gated(run => HttpResponse.text(`run ${run}`))
    const site = await cached(respond)
    const first = [site.ask(), site.ask()]
    await turns()
    expect(gates.length).toBe(1)
    gates[0]!.resolve()
    await turns()
    expect(gates.length).toBe(2)
    clock.move(9_999)
    const more = [site.ask(), site.ask()]
    await turns()
    expect(gates.length).toBe(4)
    clock.move(1)
    const late = [site.ask(), site.ask()]
    await turns()
    expect(gates.length).toBe(5)
    gates[4]!.resolve()
    await turns()
    for (const gate of gates) gate.resolve()
    await Promise.all([...first, ...more, ...late])
  })

  test('store what is for the store though it was not a moment ago', async () => {
    const site = await cached((_request, run) =>
      HttpResponse.text(`run ${run}`, run === 1 ? {} : { headers: FRESH }),
    )
    expect([await site.ask(), await site.ask(), await site.ask()].map(answer => answer.text())).toEqual([
      'run 1',
      'run 2',
      'run 2',
    ])
    // And others wait for it again.
    site.service.purge('/')
    await Promise.all([site.ask(), site.ask()])
    expect(site.runs).toBe(3)
  })

  test('wait for nobody with credentials: such an answer is rarely for others', async () => {
    const { respond, gates } = gated(run => HttpResponse.text(`run ${run}`))
    const site = await cached(respond)
    const asked = [
      site.ask({ headers: { authorization: 'a' } }),
      site.ask({ headers: { authorization: 'b' } }),
    ]
    await turns()
    expect(gates.length).toBe(2)
    for (const gate of gates) gate.resolve()
    await Promise.all(asked)
  })

  test('of different variants wait for the first, which tells what the variants are, then each for its own', async () => {
    const { respond, gates, open } = gated(run =>
      HttpResponse.text(`run ${run}`, { headers: { ...FRESH, vary: 'accept-language' } }),
    )
    const site = await cached(respond)
    const ask = (language: string) => site.ask({ headers: { 'accept-language': language } })
    const asked = ['en', 'de', 'fr', 'en', 'de', 'fr'].map(ask)
    await turns()
    expect(gates.length).toBe(1)
    open(1)
    await turns()
    expect(gates.length).toBe(3)
    open(2)
    open(3)
    const answers = (await Promise.all(asked)).map(answer => answer.text())
    expect(answers).toEqual(['run 1', 'run 2', 'run 3', 'run 1', 'run 2', 'run 3'])
  })
})

describe('the client of the first request', () => {
  async function leaving(answer: (run: number) => HttpResponse) {
    const { respond, gates, open } = gated(answer)
    const { plugin } = origin(respond)
    const server = await startServer({ plugins: [cache(), plugin] })
    const first = await RawClient.connect(server.port)
    first.send('GET /a HTTP/1.1\r\nhost: a\r\n\r\n')
    while (gates.length === 0) await turns()
    const others = Array.from({ length: 5 }, () =>
      server.server.inject({ url: '/a', headers: { host: 'a' } }),
    )
    await turns()
    return { server, first, gates, open, others }
  }

  test('leaves: one of those who wait takes its place, the others wait for that one', async () => {
    const { server, first, gates, open, others } = await leaving(run =>
      HttpResponse.text(`run ${run}`, { headers: FRESH }),
    )
    await using _server = server
    first.reset()
    while (gates.length === 1) await turns()
    await turns()
    expect(gates.length).toBe(2)
    open(2)
    expect(texts(await Promise.all(others))).toEqual(['run 2'])
    open(1)
    await server.untilEnded(6)
  })

  test('leaves before anybody else comes: the next one does not wait for it', async () => {
    const { respond, gates, open } = gated(run => HttpResponse.text(`run ${run}`, { headers: FRESH }))
    const { plugin } = origin(respond)
    await using server = await startServer({ plugins: [cache(), plugin] })
    const first = await RawClient.connect(server.port)
    first.send('GET /a HTTP/1.1\r\nhost: a\r\n\r\n')
    while (gates.length === 0) await turns()
    const { port } = server
    first.reset()
    // The server has seen the end when it answers on a connection that was opened later.
    await using second = await RawClient.connect(port)
    second.send('GET /other HTTP/1.1\r\nhost: a\r\n\r\n')
    while (gates.length === 1) await turns()
    const next = server.server.inject({ url: '/a', headers: { host: 'a' } })
    while (gates.length === 2) await turns()
    open(3)
    expect((await next).text()).toBe('run 3')
    open(1)
    open(2)
  })

  test('leaves while its answer is read for the store: that goes on', async () => {
    const pieces = Promise.withResolvers<void>()
    async function* body() {
      yield 'one '
      await pieces.promise
      yield 'two'
    }
    const { server, first, gates, open, others } = await leaving(() =>
      HttpResponse.stream(body(), { headers: FRESH }),
    )
    await using _server = server
    open(1)
    await first.until('one ')
    first.reset()
    await server.untilEnded(1)
    pieces.resolve()
    expect(texts(await Promise.all(others))).toEqual(['one two'])
    expect(gates.length).toBe(1)
  })
})

test('an answer that another plugin has finished frees those who wait, before its body ends', async () => {
  const end = Promise.withResolvers<void>()
  const { respond, gates } = gated(run => {
    async function* body() {
      yield `run ${run}`
      await end.promise
    }
    return HttpResponse.stream(body(), { headers: FRESH }).transformed()
  })
  const site = await cached(respond)
  const asked = [site.ask(), site.ask()]
  await turns()
  gates[0]!.resolve()
  await turns()
  expect(gates.length).toBe(2)
  gates[1]!.resolve()
  end.resolve()
  expect(texts(await Promise.all(asked))).toEqual(['run 1', 'run 2'])
})

test('an answer that fails on its way to the store frees those who wait', async () => {
  const { respond, gates } = gated(run => HttpResponse.text(`run ${run}`, { headers: FRESH }))
  const failing = onSite('failing', site =>
    site.hooks.transform.tap({ name: 'failing', stage: Transform.Encode }, () => {
      throw new Error('no')
    }),
  )
  const site = await cached(respond, {}, [failing])
  const asked = [site.ask(), site.ask()]
  await turns()
  gates[0]!.resolve()
  await turns()
  expect(gates.length).toBe(2)
  gates[1]!.resolve()
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([500, 500])
})
