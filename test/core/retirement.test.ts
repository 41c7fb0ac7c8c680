import { HttpRequest, HttpResponse } from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Retirement } from '../../core/retirement.ts'
import { serve } from '../support/in-memory.ts'
import { get } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { turns } from '../support/turns.ts'

const listen = [{ port: 0 }]
const hello = answering(() => HttpResponse.text('new'))
const aborted = (signal: AbortSignal) =>
  new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))

/** A server whose only request is kept by its handler until the test lets go. */
async function held() {
  const asked = Promise.withResolvers<HttpRequest>()
  const gate = Promise.withResolvers<void>()
  const { server } = await serve([
    answering(async request => {
      asked.resolve(request)
      await gate.promise
      return HttpResponse.text('old')
    }),
  ])
  onTestFinished(() => gate.resolve())
  const answer = server.inject()
  return { server, answer, request: await asked.promise, open: () => gate.resolve() }
}

describe('request.retired', () => {
  test('aborts when a reload puts another config in charge', async () => {
    const { server, request } = await held()
    const { retired, signal } = request
    expect(request.retired).toBe(retired)
    expect(retired.aborted).toBe(false)
    await server.reload({ listen, plugins: [hello] })
    expect(retired.reason).toMatchObject({ message: 'the server has a new config' })
    expect(signal.aborted).toBe(false)
  })

  test('aborts when the server stops', async () => {
    const { server, answer, request, open } = await held()
    const { retired } = request
    const stopped = server.stop()
    expect(retired.reason).toMatchObject({ message: 'the server stops' })
    open()
    expect((await answer).text()).toBe('old')
    await stopped
  })

  test('is aborted from the start for who asks later', async () => {
    const { server, request } = await held()
    await server.reload({ listen, plugins: [hello] })
    expect(request.retired.aborted).toBe(true)
  })

  test('stays quiet when the reload comes after the answer, and when it fails', async () => {
    const { server, answer, request, open } = await held()
    const { retired } = request
    const broken = answering(() => undefined)
    await expect(server.reload({ listen, plugins: [broken, broken] })).rejects.toThrow()
    expect(retired.aborted).toBe(false)
    open()
    await answer
    await server.reload({ listen, plugins: [hello] })
    expect(retired.aborted).toBe(false)
    expect(request.retired).toBe(retired)
  })

  test('that is first asked for when the request has ended never aborts', async () => {
    const { server, answer, request, open } = await held()
    open()
    await answer
    const { retired } = request
    await server.reload({ listen, plugins: [hello] })
    expect(retired.aborted).toBe(false)
  })

  test('of a request that nobody has dispatched never aborts', () => {
    expect(new HttpRequest({ method: 'GET', target: '/' }).retired.aborted).toBe(false)
  })

  test('lets a body without an end come to one, on a connection that goes on', async () => {
    async function* ticks({ retired }: HttpRequest) {
      yield 'tick'
      await aborted(retired)
      yield 'bye'
    }
    await using served = await startServer({
      plugins: [answering(request => HttpResponse.stream(ticks(request)))],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get())
    await client.until('tick\r\n')
    await served.server.reload({ listen, plugins: [hello] })
    expect(await client.until('0\r\n\r\n')).toBe('3\r\nbye\r\n0\r\n\r\n')
    client.send(get())
    expect((await client.response()).body.toString()).toBe('new')
    expect((await served.untilEnded(1))[0]!.outcome.result).toBe('sent')
  })

  test('tells who speaks on an upgraded connection', async () => {
    await using served = await startServer({
      plugins: [
        answering(({ retired }) =>
          HttpResponse.upgrade({ protocol: 'echo' }, stream => {
            retired.addEventListener('abort', () => stream.end('bye'))
          }),
        ),
      ],
    })
    await using client = await RawClient.connect(served.port)
    client.send(get('/', 'Connection: upgrade', 'Upgrade: echo'))
    await client.response({ interim: true })
    await served.server.reload({ listen, plugins: [hello] })
    expect(await client.rest()).toBe('bye')
    client.end()
    await served.untilEnded(1)
  })
})

describe('a retirement', () => {
  const requests = (count: number) =>
    Array.from({ length: count }, () => new HttpRequest({ method: 'GET', target: '/' }))

  test('tells thousands over many turns, so that others are answered in between', async () => {
    const retirement = new Retirement()
    const signals = requests(1_000).map(request => retirement.signalFor(request))
    const told = () => signals.filter(signal => signal.aborted).length
    retirement.begin(new Error('now'))
    expect(told()).toBe(32)
    await turns(1)
    expect(told()).toBeLessThan(200)
    await turns(40)
    expect(told()).toBe(1_000)
  })

  test('tells none that has ended, also between two turns, and keeps its first reason', async () => {
    const retirement = new Retirement()
    const all = requests(40)
    const signals = all.map(request => retirement.signalFor(request))
    retirement.begin(new Error('first'))
    retirement.begin(new Error('second'))
    retirement.forget(all[39]!)
    await turns(3)
    expect(signals.filter(signal => signal.aborted)).toHaveLength(39)
    expect(signals[38]!.reason).toMatchObject({ message: 'first' })
  })
})
