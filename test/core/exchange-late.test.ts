import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Diagnostic,
  definePlugin,
  HttpResponse,
  type PluginSite,
  type Plugins,
  Transform,
} from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { get, post, statuses } from '../support/messages.ts'
import { exchangeBytes, RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const site = (tap: (site: PluginSite) => void, name = 'faulty'): Plugins[number] =>
  definePlugin({ name, site: tap })()

const closing = get('/', 'Connection: close')
const turn = () => turns(1)

describe('an answer that comes too late', () => {
  test('is a 503 also where transform takes its time, and only the late one is named', async () => {
    const gate = Promise.withResolvers<undefined>()
    const shape = site(({ hooks }) => {
      hooks.transform.tapPromise({ name: 'shape', stage: Transform.Shape }, async response => {
        // Several ticks of the clock: counted from the request's start this would be late too.
        await delay(80)
        response.set('x-shaped', 'yes')
      })
    }, 'shaper')
    await using served = await startServer({
      limits: { handlerTimeout: 200 },
      plugins: [answering(() => gate.promise, 'sleeper'), shape],
    })
    const bytes = await exchangeBytes(served.port, closing)
    expect(statuses(bytes)).toEqual([503])
    expect(bytes).toContain('x-shaped: yes')
    expect(served.reports.map(({ code, plugin }) => [code, plugin])).toEqual([['HANDLER_TIMEOUT', 'sleeper']])
    gate.resolve(undefined)
  })

  test('is dropped, and its body destroyed', async () => {
    const gate = Promise.withResolvers<void>()
    const body = new Readable({ read() {} })
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        answering(async () => {
          await gate.promise
          return HttpResponse.stream(body)
        }, 'sleeper'),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(503)
    expect(served.reports[0]).toMatchObject({
      code: 'HANDLER_TIMEOUT',
      plugin: 'sleeper',
      hook: 'handle',
      tap: 'sleeper',
    })
    expect(served.reports[0]!.message).toContain('did not answer within 100 ms')
    const destroyed = new Promise<void>(resolve => body.once('close', () => resolve()))
    gate.resolve()
    await destroyed
    client.send(get('/', 'Connection: close'))
    // It met a gate that was open, and a body that was gone.
    expect((await client.response()).status).toBe(500)
    expect(client.received).toBe('')
  })

  test('of a client that left is destroyed too', async () => {
    const gate = Promise.withResolvers<void>()
    const body = new Readable({ read() {} })
    await using served = await startServer({
      plugins: [answering(() => gate.promise.then(() => HttpResponse.stream(body)))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await turn()
    client.reset()
    const destroyed = new Promise<void>(resolve => body.once('close', () => resolve()))
    await turn()
    gate.resolve()
    await destroyed
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('aborted')
  })

  test('a transform that never ends is named, and the answer that it held is destroyed', async () => {
    const body = new Readable({ read() {} })
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        site(({ hooks }) => {
          hooks.transform.tapAsync({ name: 'slow', stage: Transform.Shape }, () => undefined)
        }, 'slow-transform'),
        answering(() => HttpResponse.stream(body)),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    expect((await client.response()).status).toBe(503)
    expect(served.reports[0]).toMatchObject({
      code: 'HANDLER_TIMEOUT',
      plugin: 'slow-transform',
      hook: 'transform',
    })
    expect(body.destroyed).toBe(true)
    expect(served.reports).toHaveLength(1)
  })

  test('an error that a transform hangs on is answered without it', async () => {
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        site(({ hooks }) => {
          hooks.transform.tapAsync({ name: 'slow', stage: Transform.Shape }, () => undefined)
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([404])
    expect(served.ended).toHaveLength(1)
    expect(served.reports.map(({ code, hook }) => [code, hook])).toEqual([['HANDLER_TIMEOUT', 'transform']])
  })

  test('the signal says so to the handler', async () => {
    const late = Promise.withResolvers<unknown>()
    await using served = await startServer({
      limits: { handlerTimeout: 100 },
      plugins: [
        answering(async ({ signal }) => {
          signal.addEventListener('abort', () => late.resolve(signal.reason))
          await late.promise
          return HttpResponse.text('late')
        }),
      ],
    })
    expect(statuses(await exchangeBytes(served.port, closing))).toEqual([503])
    expect(await late.promise).toMatchObject({ code: 'HANDLER_TIMEOUT' })
  })

  test('time spent waiting for the client does not count as the handler', async () => {
    const handlerTimeout = 800
    await using served = await startServer({
      limits: { handlerTimeout },
      plugins: [
        answering(async ({ body }) => {
          const text = await body.text()
          await delay(handlerTimeout / 3)
          return HttpResponse.text(text)
        }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(post('/', 'hello').slice(0, -2))
    await delay(handlerTimeout * 1.2)
    client.send('lo')
    expect((await client.response()).body.toString()).toBe('hello')
  })
})

test('a body that fails while a tap takes its time does not end the process', async () => {
  const reports: Diagnostic[] = []
  await using served = await startServer({
    plugins: [
      site(({ hooks, server }) => {
        server.hooks.report.tap('r', report => void reports.push(report))
        hooks.transform.tapPromise({ name: 'slow', stage: Transform.Shape }, async () => {
          await turn()
          await turn()
        })
      }),
      answering(() => {
        const body = new Readable({ read() {} })
        process.nextTick(() => body.destroy(new Error('gone')))
        return HttpResponse.stream(body)
      }),
    ],
  })
  expect(statuses(await exchangeBytes(served.port, closing))).toEqual([500])
})
