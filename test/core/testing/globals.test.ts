import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { changes, snapshot } from '../../../core/testing/globals.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0)) step()
})

/** Sets a property for one test. */
function put(target: object, name: PropertyKey, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { value, configurable: true, writable: true })
  undo.push(() => {
    if (before === undefined) Reflect.deleteProperty(target, name)
    else Object.defineProperty(target, name, before)
  })
}

test('nothing has changed where nobody changes anything', () => {
  expect(changes(snapshot(), snapshot())).toEqual([])
})

describe('is told:', () => {
  test.each<[string, () => void, string]>([
    ['a new global', () => put(globalThis, 'mine', 1), 'globalThis has got "mine"'],
    ['another function', () => put(JSON, 'parse', () => 1), '"parse" of JSON has become another'],
    ['a method of all objects', () => put(Object.prototype, 'x', 1), 'Object.prototype has got "x"'],
    [
      'a method of all emitters',
      () => put(EventEmitter.prototype, 'emit', () => true),
      '"emit" of EventEmitter.prototype has become another',
    ],
    [
      'a variable of the environment',
      () => {
        Reflect.set(process.env, 'TESTING_KIT', 'x')
        undo.push(() => Reflect.deleteProperty(process.env, 'TESTING_KIT'))
      },
      'process.env has got "TESTING_KIT"',
    ],
    [
      'the depth of stacks',
      () => put(Error, 'stackTraceLimit', 99),
      '"stackTraceLimit" of Error settings has become another',
    ],
  ])('%s', (_, change, sentence) => {
    const before = snapshot()
    change()
    expect(changes(before, snapshot())).toContain(sentence)
  })

  test('what is gone', () => {
    put(globalThis, 'mine', 1)
    const before = snapshot()
    Reflect.deleteProperty(globalThis, 'mine')
    expect(changes(before, snapshot())).toEqual(['globalThis has lost "mine"'])
  })
})
