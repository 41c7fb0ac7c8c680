import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pathOfDescriptor, takePassedSockets } from '../../core/passed-sockets.ts'

const pid = 4711
const take = (variables: Record<string, string>) =>
  takePassedSockets({ LISTEN_PID: '4711', ...variables }, pid)

describe('the sockets that systemd passes', () => {
  it('are counted from descriptor 3 on, with their names', () => {
    expect(take({ LISTEN_FDS: '3', LISTEN_FDNAMES: 'http:https:http' })).toEqual([
      { fd: 3, name: 'http' },
      { fd: 4, name: 'https' },
      { fd: 5, name: 'http' },
    ])
  })

  it('are called unknown where no name came, as systemd itself does', () => {
    expect(take({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'http' })).toEqual([
      { fd: 3, name: 'http' },
      { fd: 4, name: 'unknown' },
    ])
    expect(take({ LISTEN_FDS: '1' })).toEqual([{ fd: 3, name: 'unknown' }])
  })

  it.each([{}, { LISTEN_PID: '1' }, { LISTEN_PID: '47110' }])('are none of ours with %j', variables => {
    expect(takePassedSockets({ ...variables, LISTEN_FDS: '2' }, pid)).toEqual([])
  })

  it('leave no variable behind, whoever they were for', () => {
    fc.assert(
      fc.property(fc.constantFrom('1', '4711'), fc.nat(99), fc.string(), (forWhom, count, names) => {
        const env = { PATH: '/bin', LISTEN_PID: forWhom, LISTEN_FDS: String(count), LISTEN_FDNAMES: names }
        expect(takePassedSockets(env, pid)).toHaveLength(forWhom === '4711' ? count : 0)
        expect(env).toEqual({ PATH: '/bin' })
      }),
    )
  })

  it.each(['', 'two', '-1', '1.5', '99999'])('are refused when their count is %j', count => {
    expect(() => take({ LISTEN_FDS: count })).toThrow(
      `environment variable LISTEN_FDS: expected a count of sockets, got '${count}'`,
    )
  })
})

it('a descriptor that is no Unix socket has no path', async () => {
  expect(await pathOfDescriptor(0)).toBeNull()
  expect(await pathOfDescriptor(9999)).toBeNull()
})
