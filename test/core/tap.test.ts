import { describe, expect, test } from 'vitest'
import { blame, calledTwice, prefixed, type Tap, tapFailed, tapOf, tapText } from '../../core/tap.ts'
import { requestOf } from '../support/in-memory.ts'

const tap: Tap = {
  hook: 'handle',
  plugin: 'auth',
  name: 'auth:check',
  stage: -300,
  kind: 'sync',
  place: null,
  pluginPlace: null,
  scopes: [],
}

describe('blame', () => {
  test('keeps the error as it is, and its tap beside it', () => {
    const error = Object.freeze(new Error('no'))
    expect(blame(error, tap)).toBe(error)
    expect(tapOf(error)).toBe(tap)
  })

  test('makes an error of what is none', () => {
    const error = blame('no', tap)
    expect(error).toMatchObject({ message: 'a non-error was thrown: "no"', cause: 'no' })
    expect(tapOf(error)).toBe(tap)
  })

  test('goes to whoever threw last', () => {
    const error = new Error('shared')
    blame(error, tap)
    const other = { ...tap, plugin: 'other' }
    blame(error, other)
    expect(tapOf(error)).toBe(other)
  })

  test('is known of nothing else', () => {
    for (const value of [new Error('x'), {}, 'x', null, undefined]) expect(tapOf(value)).toBeUndefined()
  })
})

describe('a diagnostic of a tap', () => {
  test('names plugin, hook, tap and request', () => {
    const request = requestOf({ target: '/a?b' })
    const cause = new Error('no')
    expect(tapText(tap)).toBe('plugin "auth", handle tap "auth:check"')
    const facts = {
      severity: 'error',
      plugin: 'auth',
      hook: 'handle',
      tap: 'auth:check',
      request: 'GET /a?b',
    }
    expect(tapFailed(cause, tap, request)).toEqual({
      ...facts,
      code: 'TAP_FAILED',
      message: 'plugin "auth", handle tap "auth:check" failed: no',
      cause,
    })
    expect(calledTwice(tap, request)).toEqual({
      ...facts,
      code: 'TAP_CALLED_TWICE',
      message:
        'plugin "auth", handle tap "auth:check" called its callback twice; the second answer was dropped',
    })
  })

  test('does without a request', () => {
    expect(tapFailed(new Error('no'), tap).request).toBeUndefined()
    expect(calledTwice(tap, null).request).toBeUndefined()
  })
})

describe('an error with its owner in front', () => {
  class Denied extends Error {
    readonly code = 'EACCES'
  }

  test('is the same error', () => {
    const error = new Denied('no')
    expect(prefixed(error, 'plugin "a"')).toBe(error)
    expect(error).toMatchObject({ message: 'plugin "a": no', code: 'EACCES' })
  })

  test('names the plugin once, and another one that its message names too', () => {
    expect(prefixed(new Error('plugin "a", hook x: no'), 'plugin "a", server()').message).toBe(
      'plugin "a", server(): hook x: no',
    )
    expect(prefixed(new Error('plugin "b": no'), 'plugin "a"').message).toBe('plugin "a": plugin "b": no')
  })

  test('is the same also when its message has no setter', () => {
    const error = new DOMException('late', 'TimeoutError')
    expect(prefixed(error, 'plugin "a"')).toBe(error)
    expect(error).toMatchObject({ message: 'plugin "a": late', name: 'TimeoutError' })
  })

  test('is another one when it cannot change, or was none', () => {
    const error = Object.freeze(new Error('no'))
    expect(prefixed(error, 'plugin "a"')).toMatchObject({ message: 'plugin "a": no', cause: error })
    expect(prefixed('no', 'plugin "a"').message).toBe('plugin "a": a non-error was thrown: "no"')
  })
})
