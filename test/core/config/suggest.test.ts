import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closest } from '../../../core/config/suggest.ts'

const names = ['bodyBytes', 'bodyTimeout', 'headBytes', 'headers', 'tls']

describe('a suggestion', () => {
  it.each([
    ['bodyByte', 'bodyBytes'],
    ['bodybytes', 'bodyBytes'],
    ['haeders', 'headers'],
    ['tsl', 'tls'],
  ])('for %s is %s', (word, meant) => expect(closest(word, names)).toBe(meant))

  it('is not made for a word that is like none', () => {
    expect(closest('compression', names)).toBeNull()
  })

  it('is the word itself where the word is known', () => {
    fc.assert(fc.property(fc.constantFrom(...names), name => closest(name, names) === name))
  })

  it('finds a name again after one letter was dropped', () => {
    const dropped = fc
      .constantFrom(...names)
      .chain(name =>
        fc.nat({ max: name.length - 1 }).map(at => [name, name.slice(0, at) + name.slice(at + 1)] as const),
      )
    fc.assert(fc.property(dropped, ([name, word]) => closest(word, [name]) === name))
  })
})
