import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGlob, problemOf } from '../../../plugins/static/glob.ts'

describe.each<[string, readonly string[], readonly string[]]>([
  ['*.js', ['a.js', 'x/y/a.js', '.js'], ['a.jsx', 'a.js/b', 'a.JS', 'ajs']],
  ['robots.txt', ['robots.txt', 'en/robots.txt'], ['xrobots.txt', 'robots.txt.bak']],
  ['/robots.txt', ['robots.txt'], ['en/robots.txt']],
  ['assets/*', ['assets/a', 'assets/b.c'], ['assets', 'assets/x/y', 'x/assets/a']],
  ['assets/**', ['assets/a', 'assets/x/y.js'], ['assets', 'x/assets/a', 'assets2/a']],
  ['**/fonts/*.woff2', ['fonts/a.woff2', 'x/y/fonts/a.woff2'], ['fonts/x/a.woff2', 'xfonts/a.woff2']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'x/a/b']],
  ['**', ['a', 'a/b.c', '.x'], []],
  ['a?.txt', ['ab.txt', 'aä.txt', 'a\u{1f600}.txt', 'x/ab.txt'], ['a.txt', 'abc.txt', 'a/.txt']],
  ['*.{png,jp{,e}g}', ['a.png', 'a.jpg', 'a.jpeg'], ['a.jp', 'a.{png', 'a.gif']],
  ['{a/b,c}.txt', ['a/b.txt', 'c.txt'], ['x/c.txt']],
  ['a,b.txt', ['a,b.txt'], ['a', 'b.txt']],
  ['[id].html', ['[id].html'], ['i.html', 'd.html']],
  ['a+(b)^$|.x', ['a+(b)^$|.x'], ['aab']],
  ['ä*.txt', ['äpfel.txt'], ['a.txt']],
])('%s', (glob, matching, others) => {
  test.each(matching)('matches %s', path => {
    expect(compileGlob(glob)(path)).toBe(true)
  })
  test.each(others)('does not match %s', path => {
    expect(compileGlob(glob)(path)).toBe(false)
  })
})

test('capitals are the same where that is asked for', () => {
  expect(compileGlob('*.md', 'i')('x/README.MD')).toBe(true)
})

test.each([
  ['', 'it is empty'],
  ['/', 'it is empty'],
  ['a\\b', 'it has a backslash, which no name that is served has'],
  ['a//b', 'it has a segment that is no name'],
  ['a/', 'it has a segment that is no name'],
  ['./a', 'it has a segment that is no name'],
  ['../a', 'it has a segment that is no name'],
  ['a**', '** stands only for whole folders: a/**/b'],
  ['a/**b', '** stands only for whole folders: a/**/b'],
  ['{a', 'its braces do not match'],
  ['a}', 'its braces do not match'],
  ['}{', 'its braces do not match'],
])('%j is refused: %s', (glob, problem) => {
  expect(problemOf(glob)).toBe(problem)
  expect(() => compileGlob(glob)).toThrow(problem)
})

test('whatever is no mistake compiles, and plain names match themselves alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab*?{},/.[]()+^$|-'), maxLength: 12 }), glob => {
      if (problemOf(glob) !== null) return
      const test = compileGlob(glob)
      if (!/[*?{}]/.test(glob)) expect(test(glob.replace(/^\//, ''))).toBe(true)
      expect(test('no/such name')).toBe(/\*/.test(glob) && test('no/such name'))
    }),
    { numRuns: 3_000 },
  )
})
