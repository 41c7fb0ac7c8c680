import { describe, expect, it } from 'vitest'
import { flatFields, HttpHeaders } from '../../core/headers.ts'

const headers = new HttpHeaders([
  'host',
  'a',
  'accept',
  'x',
  'cookie',
  'a=1',
  'accept',
  'y, z',
  'cookie',
  'b=2',
  'empty',
  '',
])

describe('header fields', () => {
  it('are read by name', () => {
    expect(headers.get('host')).toBe('a')
    expect(headers.get('empty')).toBe('')
    expect(headers.get('missing')).toBeUndefined()
  })

  it('of one name are joined in order', () => {
    expect(headers.get('accept')).toBe('x, y, z')
    expect(headers.get('cookie')).toBe('a=1; b=2')
  })

  it('of one name can be had line by line', () => {
    expect(headers.getAll('accept')).toEqual(['x', 'y, z'])
    expect(headers.getAll('missing')).toEqual([])
  })

  it('can be asked for', () => {
    expect(headers.has('empty')).toBe(true)
    expect(headers.has('missing')).toBe(false)
  })

  it('are not read by a value that looks like a name', () => {
    const odd = new HttpHeaders(['a', 'b', 'c', 'd'])
    expect([odd.get('b'), odd.has('b'), odd.getAll('d')]).toEqual([undefined, false, []])
  })

  it('know nothing of the names of objects', () => {
    expect(headers.get('constructor')).toBeUndefined()
    expect(headers.get('__proto__')).toBeUndefined()
  })

  it('are counted and walked line by line, in wire order', () => {
    expect(headers.size).toBe(6)
    expect([...headers].slice(0, 2)).toEqual([
      ['host', 'a'],
      ['accept', 'x'],
    ])
    expect([...headers]).toHaveLength(6)
  })

  it('make a plain object without a prototype', () => {
    const object = new HttpHeaders(['__proto__', 'a', 'x', '1', 'x', '2']).toObject()
    expect(Object.getPrototypeOf(object)).toBeNull()
    expect(Object.entries(object)).toEqual([
      ['__proto__', 'a'],
      ['x', '1, 2'],
    ])
  })
})

describe('fields that a caller writes', () => {
  it.each([
    ['an object', { 'Content-Type': 'a', X: 'b' }],
    [
      'pairs',
      [
        ['Content-Type', 'a'],
        ['X', 'b'],
      ] as const,
    ],
    [
      'a Map',
      new Map([
        ['Content-Type', 'a'],
        ['X', 'b'],
      ]),
    ],
    ['Headers', new Headers({ 'Content-Type': 'a', X: 'b' })],
    ['our own', new HttpHeaders(['content-type', 'a', 'x', 'b'])],
  ])('as %s become one flat list in lower case', (_, init) => {
    expect(flatFields(init)).toEqual(['content-type', 'a', 'x', 'b'])
  })

  it('may be missing', () => {
    expect(flatFields(undefined)).toEqual([])
  })
})
