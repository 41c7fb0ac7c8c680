import { Connect, type ConnectionOwner, HttpResponse, type Plugins } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { connectForTest, startForTest } from '../../support/for-test.ts'
import { Gates } from '../../support/gates.ts'
import { layer, proxyLine } from '../../support/layers.ts'
import { get } from '../../support/messages.ts'
import { answering } from '../../support/server.ts'
import { turns } from '../../support/turns.ts'

// What a stop does with streams that are in other hands.
const AMPLE = { deadline: 1_000_000 }

const started = (...plugins: Plugins) => startForTest({ plugins })

/** A stream that says hello, and then whatever it hears. */
const echo = (raw: boolean) =>
  answering(() =>
    HttpResponse.upgrade({ protocol: 'echo', raw }, stream => {
      stream.write('hello')
      stream.pipe(stream)
    }),
  )

const upgrade = (target = '/') => get(target, 'Connection: upgrade', 'Upgrade: echo')

/** Says goodbye as soon as it is asked to, and notes how much time it was given. */
function polite(end: (text: string) => void, told: number[]): ConnectionOwner {
  return {
    name: 'polite',
    drain(deadline) {
      told.push(deadline)
      end('bye')
    },
    destroy: () => undefined,
  }
}

describe('a stream that was upgraded', () => {
  test.each([
    ['as the kernel hands it over', false],
    ['raw', true],
  ])('%s, goes on until it ends by itself, and the stop with it', async (_, raw) => {
    const served = await started(echo(raw))
    const client = await connectForTest(served)
    client.send(upgrade())
    await client.until('hello')
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    client.send('still here')
    expect(await client.until('here')).toBe('still here')
    client.end()
    await stopped
    expect(await client.closed).toBe('end')
    expect(served.ended.map(({ outcome }) => outcome)).toMatchObject([{ result: 'upgraded' }])
    expect(served.ended[0]!.outcome.error).toBeUndefined()
    expect(served.reports).toEqual([])
  })

  test('is cut at the deadline when nobody ends it', async () => {
    const served = await started(echo(false))
    const client = await connectForTest(served)
    client.send(upgrade('/socket'))
    await client.until('hello')
    const stopped = served.server.stop({ deadline: 200 })
    client.send('still here')
    expect(await client.until('here')).toBe('still here')
    await stopped
    expect(await client.closed).toBe('end')
    expect(served.ended[0]!.outcome).toMatchObject({
      result: 'upgraded',
      error: { message: 'the server stopped' },
    })
    expect(served.reports).toMatchObject([{ code: 'DRAIN_CUT', request: 'GET /socket' }])
  })

  test('has its owner told how long it may take', async () => {
    const told: number[] = []
    const served = await started(
      answering(() =>
        HttpResponse.upgrade({ protocol: 'echo' }, stream => polite(text => stream.end(text), told)),
      ),
    )
    const client = await connectForTest(served)
    client.send(upgrade())
    await client.response({ interim: true })
    const stopped = served.server.stop({ deadline: 12_345 })
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect([told, served.reports]).toEqual([[12_345], []])
  })

  test('during the stop has its owner told at once, of the time that is left', async () => {
    const told: number[] = []
    const gates = new Gates()
    const served = await started(
      answering(async asked => {
        await gates.answer(asked)
        return HttpResponse.upgrade({ protocol: 'echo' }, stream => polite(text => stream.end(text), told))
      }),
    )
    const client = await connectForTest(served)
    client.send(upgrade('/late'))
    await gates.until(1)
    const stopped = served.server.stop({ deadline: 12_345 })
    gates.open('/late')
    await client.response({ interim: true })
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect(told).toEqual([expect.any(Number)])
    expect(told[0]).toBeLessThanOrEqual(12_345)
    expect(served.reports).toEqual([])
  })
})

describe('a stream that a plugin has claimed', () => {
  test('has its owner told how long it may take', async () => {
    const told: number[] = []
    const served = await started(
      layer('owning', Connect.Protocol, stream => {
        stream.resume()
        return polite(text => stream.end(text), told)
      }),
    )
    const client = await connectForTest(served)
    while (served.server.stats.connections === 0) await turns(1)
    const stopped = served.server.stop({ deadline: 12_345 })
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect([told, served.reports]).toEqual([[12_345], []])
  })

  // The layer in front does not mind that the server stops, and goes on with its header.
  test('during the stop has its owner told at once, of the time that is left', async () => {
    const told: number[] = []
    const served = await started(
      proxyLine,
      layer('owning', Connect.Protocol, stream => {
        stream.resume()
        return polite(text => stream.end(text), told)
      }),
    )
    const client = await connectForTest(served)
    client.send('FROM ')
    while (served.server.stats.received < 5) await turns(1)
    const stopped = served.server.stop({ deadline: 12_345 })
    await turns(20)
    client.send('192.0.2.1 4711\n')
    expect(await client.rest()).toBe('bye')
    client.end()
    await stopped
    expect(told).toEqual([expect.any(Number)])
    expect(told[0]).toBeLessThanOrEqual(12_345)
    expect(served.reports).toEqual([])
  })

  test('and is given back during the stop ends like any connection without a request', async () => {
    const served = await started(
      proxyLine,
      answering(() => HttpResponse.text('never')),
    )
    const client = await connectForTest(served)
    client.send('FROM ')
    while (served.server.stats.received < 5) await turns(1)
    const stopped = served.server.stop(AMPLE)
    await turns(20)
    client.send('192.0.2.1 4711\n')
    expect(await client.rest()).toBe('')
    client.end()
    await stopped
    expect([served.ended, served.reports]).toEqual([[], []])
  })
})
