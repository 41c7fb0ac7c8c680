import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Applicant, networkOf, Turns } from '../../../plugins/tls/turns.ts'
import { turns as eventTurns } from '../../support/turns.ts'

const idle = { since: 0, before: null, after: null }

/** An applicant that writes down what it is told. It leaves when it is told to give way. */
function applicant(name: string, log: string[], turns: Turns, network = ''): Applicant {
  const self: Applicant = {
    ...idle,
    network,
    begin: () => void log.push(`${name} begins`),
    giveWay: () => {
      log.push(`${name} gives way`)
      turns.leave(self)
    },
  }
  return self
}

describe('turns', () => {
  let log: string[]
  beforeEach(() => {
    log = []
  })
  afterEach(() => vi.useRealTimers())

  const enter = (turns: Turns, ...names: string[]): Applicant[] =>
    names.map(name => {
      const one = applicant(name, log, turns)
      turns.enter(one)
      return one
    })

  test('are given at once while there are places', async () => {
    // On a busy machine two of them may be more than a turn's share.
    vi.useFakeTimers({ toFake: ['performance'] })
    enter(new Turns(3), 'a', 'b')
    await eventTurns(1)
    expect(log).toEqual(['a begins', 'b begins'])
  })

  test('go to the newest when a place is free again', async () => {
    const turns = new Turns(1)
    const [first] = enter(turns, 'a', 'b', 'c')
    await eventTurns(1)
    expect(log).toEqual(['a begins'])
    turns.leave(first!)
    await eventTurns(1)
    expect(log).toEqual(['a begins', 'c begins'])
  })

  test('go to who is alone of its network before all others, newer ones too', async () => {
    const turns = new Turns(1)
    const [first] = enter(turns, 'a', 'b')
    const honest = applicant('honest', log, turns, 'honest')
    turns.enter(honest)
    const crowd = enter(turns, 'c', 'd')
    turns.leave(first!)
    await eventTurns(1)
    expect(log.slice(1)).toEqual(['honest begins'])
    turns.leave(honest)
    await eventTurns(1)
    expect(log.slice(2)).toEqual(['d begins'])
    // Who comes back is the only one again, once all that it had are over.
    turns.enter(applicant('honest once more', log, turns, 'honest'))
    enter(turns, 'e')
    turns.leave(crowd[1]!)
    await eventTurns(1)
    expect(log.slice(3)).toEqual(['honest once more begins'])
  })

  test('go to the further ones of a network before a crowd too, one after the other', async () => {
    const turns = new Turns(1)
    const [first] = enter(turns, 'a', 'b')
    const honest = ['one', 'two', 'three'].map(name => applicant(name, log, turns, 'honest'))
    for (const each of honest) turns.enter(each)
    const crowd = enter(turns, 'c', 'd', 'e')
    let under: Applicant = first!
    const all = [...honest, ...crowd]
    for (const name of ['one', 'e', 'three', 'd', 'two', 'c']) {
      turns.leave(under)
      await eventTurns(1)
      expect(log.at(-1)).toBe(`${name} begins`)
      under = all[['one', 'two', 'three', 'c', 'd', 'e'].indexOf(name)]!
    }
  })

  test('are not given to who has left', async () => {
    const turns = new Turns(1)
    const [first, , third] = enter(turns, 'a', 'b', 'c')
    turns.leave(third!)
    turns.leave(first!)
    await eventTurns(1)
    expect(log).toEqual(['a begins', 'b begins'])
  })

  test('leave the event loop to others when they cost much', async () => {
    const turns = new Turns(100)
    const seen: number[] = []
    let begun = 0
    const costly = (): Applicant => ({
      ...idle,
      network: '',
      begin: () => {
        begun++
        // Like OpenSSL: the work is done in the next tick.
        process.nextTick(() => {
          const until = performance.now() + 4
          while (performance.now() < until);
        })
      },
      giveWay: () => undefined,
    })
    for (let i = 0; i < 10; i++) turns.enter(costly())
    while (begun < 10) {
      await new Promise(resolve => setImmediate(resolve))
      seen.push(begun)
    }
    // Two of them are more than a turn's share.
    const steps = seen.map((count, at) => count - (seen[at - 1] ?? 0))
    expect(Math.max(...steps)).toBeLessThanOrEqual(2)
  })

  test('end for the oldest after a second, if others wait', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
    const turns = new Turns(2)
    enter(turns, 'a')
    await eventTurns(1)
    vi.advanceTimersByTime(600)
    enter(turns, 'b', 'c')
    await eventTurns(1)
    expect(log).toEqual(['a begins', 'b begins'])
    vi.advanceTimersByTime(399)
    expect(log).toHaveLength(2)
    vi.advanceTimersByTime(1)
    await eventTurns(1)
    expect(log.slice(2)).toEqual(['a gives way', 'c begins'])
  })

  test('last as long as they like when nobody waits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
    const turns = new Turns(1)
    const [, second] = enter(turns, 'a', 'b')
    await eventTurns(1)
    turns.leave(second!)
    vi.advanceTimersByTime(60_000)
    expect(log).toEqual(['a begins'])
  })
})

test('a network is an IPv4 address, or the first half of one of IPv6', () => {
  for (const [address, network] of [
    ['10.1.2.3', '10.1.2.3'],
    ['', ''],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    // What of a network is zero goes by the longest run of zeros (RFC 5952 section 4.2.3): here that is behind it.
    ['2001:db8:0:0:1::', '2001:db8:0:0'],
    ['2001::7:1:2:3:4', '2001:0:0:7'],
    ['2001::8:1:2:3:4', '2001:0:0:8'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
  ]) {
    expect(networkOf(address!)).toBe(network)
  }
})
