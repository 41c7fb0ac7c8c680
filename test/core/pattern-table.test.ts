import fc from 'fast-check'
import { createServer } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { canonicalPath, decodeSegment } from '../../core/path.ts'
import { readPattern } from '../../core/pattern.ts'
import { PatternTable } from '../../core/pattern-table.ts'

function tableOf(...patterns: readonly string[]): PatternTable<string> {
  const table = new PatternTable<string>()
  for (const pattern of patterns) table.add(readPattern(pattern), pattern)
  return table
}

/** What the parameters of one pattern take of a path; null when it does not fit. */
function taken(pattern: string, path: string): Record<string, string> | null {
  const found = tableOf(pattern).find(path)
  return found === null ? null : Object.fromEntries(found.params)
}

describe('a path fits', () => {
  test.each([
    ['/', '/', {}],
    ['/a', '/a', {}],
    ['/a', '/a/', null],
    ['/a/', '/a', null],
    ['/a/', '/a/', {}],
    ['/a', '/a/b', null],
    ['/a/:id', '/a/1', { id: '1' }],
    ['/a/:id', '/a/', null],
    ['/a/:id', '/a/1/', null],
    ['/a/:id/', '/a/1/', { id: '1' }],
    ['/:a/:b', '/x/y', { a: 'x', b: 'y' }],
    ['/:a-:b', '/x-y', { a: 'x', b: 'y' }],
    ['/:a-:b', '/x-y-z', { a: 'x-y', b: 'z' }],
    ['/:a-:b', '/xy', null],
    ['/:a-:b', '/-y', null],
    ['/:file.:ext', '/a.tar.gz', { file: 'a.tar', ext: 'gz' }],
    ['/:name.html', '/a.b.html', { name: 'a.b' }],
    ['/:name.html', '/a.htm', null],
    ['/v:n(\\d+)', '/v12', { n: '12' }],
    ['/v:n(\\d+)', '/vx', null],
    ['/:n(\\d+)', '/1/2', null],
    ['/:lang(en|de)/x', '/de/x', { lang: 'de' }],
    ['/:year(\\d{4})-:slug', '/2030-a-b', { year: '2030', slug: 'a-b' }],
    ['/:page?', '/', {}],
    ['/a/:page?', '/a', {}],
    ['/a/:page?', '/a/2', { page: '2' }],
    ['/*', '/', { '*': '' }],
    ['/*', '/a/b', { '*': 'a/b' }],
    ['/a/*', '/a/', { '*': '' }],
    ['/a/*', '/a', null],
    ['/a/*', '/a/b/', { '*': 'b/' }],
    ['/a*', '/a', { '*': '' }],
    ['/a*', '/ab/c', { '*': 'b/c' }],
    ['/a*', '/b', null],
    ['/:x/*', '/a/b/c', { x: 'a', '*': 'b/c' }],
  ])('%s by %s: %j', (pattern, path, params) => {
    expect(taken(pattern, path)).toEqual(params)
  })

  test('in its own escapes, which stay in what is taken', () => {
    expect(taken('/:a/:b', '/x%2Fy/caf%C3%A9')).toEqual({ a: 'x%2Fy', b: 'caf%C3%A9' })
    expect(taken('/a/*', '/a/%2E%00%25')).toEqual({ '*': '%2E%00%25' })
    expect(taken('/café/:a', '/caf%C3%A9/%FF')).toEqual({ a: '%FF' })
  })

  test('an expression by its decoded text', () => {
    expect(taken('/:a(é+)', '/%C3%A9%C3%A9')).toEqual({ a: '%C3%A9%C3%A9' })
    expect(taken('/:a(.+)', '/x%20%2F%22')).toEqual({ a: 'x%20%2F%22' })
    expect(taken('/:a([$&+,;=:@]+)', '/$&+,;=:@')).toEqual({ a: '$&+,;=:@' })
    expect(taken('/:a(.+)', '/%FF')).toBeNull()
  })

  test('nothing that is no path', () => {
    expect(taken('/', '*')).toBeNull()
    expect(taken('/*', '*')).toBeNull()
  })
})

describe('of several patterns', () => {
  test.each([
    [['/a', '/:x'], '/a', '/a'],
    [['/:x', '/a'], '/a', '/:x'],
    [['/*', '/a/b'], '/a/b', '/*'],
    [['/a/b', '/*'], '/a/b', '/a/b'],
    [['/:x/c', '/a/*'], '/a/b', '/a/*'],
    [['/a/:x(\\d)', '/a/:x', '/a/b'], '/a/b', '/a/:x'],
    [['/a*', '/ab*'], '/abc', '/a*'],
    [['/ab*', '/a*'], '/abc', '/ab*'],
    [['/:a', '/:b'], '/x', '/:a'],
  ])('%j have %s under %s, the first that was added', (patterns, path, expected) => {
    expect(tableOf(...patterns).find(path)?.value).toBe(expected)
  })

  test('one that is not for the request lets the next have it', () => {
    const table = tableOf('/a', '/:x', '/*')
    expect(table.find('/a', value => value !== '/a')?.value).toBe('/:x')
    expect(table.find('/a', value => value === '/*')?.params).toEqual(new Map([['*', 'a']]))
    expect(table.find('/a', () => false)).toBeNull()
  })

  test('each has the names of its own', () => {
    const table = tableOf('/:a/x', '/:b/y', '/:c/*')
    expect([...table.find('/1/y')!.params]).toEqual([['b', '1']])
    expect([...table.find('/1/z')!.params]).toEqual([
      ['c', '1'],
      ['*', 'z'],
    ])
  })
})

describe('a pattern is covered', () => {
  test.each([
    [['/*'], '/a', '/*'],
    [['/a/:x'], '/a/b', '/a/:x'],
    [['/a/:x?'], '/a', '/a/:x?'],
    [['/caf\xe9'], '/caf%c3%a9', '/caf\xe9'],
    [['/x', '/:a', '/*'], '/b', '/:a'],
    [['/a/:x'], '/a/:x', '/a/:x'],
    [['/a/:x'], '/a/:y', null],
    [['/*'], '/a/:x', null],
    [['/a/*'], '/a', null],
    [[], '/a', null],
  ])('by %j: %s by %s', (patterns, pattern, cover) => {
    expect(tableOf(...patterns).coverOf(readPattern(pattern), () => true)).toBe(cover)
  })

  test('by what is for every request only', () => {
    const table = tableOf('/a', '/*')
    expect(table.coverOf(readPattern('/a'), value => value === '/*')).toBe('/*')
    expect(table.coverOf(readPattern('/a'), () => false)).toBeNull()
  })
})

test.each([
  ['/:a((x+)+y)', 'the regular expression ((x+)+y) is not safe: a repetition stands inside of another'],
  ['/:a((\\d+|x)*)', 'is not safe'],
  ['/:a((x{2,}){3})', 'is not safe'],
  ['/:a([)', 'Invalid regular expression: /([)/'],
  ['/:a(\\d+)*', 'behind a parameter "*" must be a segment of its own'],
])('%s is refused', (pattern, sentence) => {
  expect(() => tableOf(pattern)).toThrow(sentence)
})

test.each(['/:a((x{2})+)', '/:a([+*]+x)', '/:a((\\(|\\))+)', '/:a((x|y)+)'])('%s is taken', pattern => {
  expect(() => tableOf(pattern)).not.toThrow()
})

// Few letters, so that patterns and paths meet.
const word = fc.constantFrom('a', 'b', 'ab', '1', 'x.y', 'a-b', 'é', 'a b', 'x%y', '')
const part = fc.constantFrom(
  'a',
  'b',
  ':p',
  ':p(\\d+)',
  ':p([a-z]+)',
  'x-:p',
  ':p.y',
  ':p-:q',
  ':p(\\w)-:q',
  'é',
)
const patternText = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/', '/*', '*', '/:z?'))
  .map(
    ([parts, end]) => `/${parts.map((each, index) => each.replace(/:(\w)/g, `:$1${index}`)).join('/')}${end}`,
  )
const pathText = fc
  .array(word, { minLength: 1, maxLength: 4 })
  .map(words => canonicalPath(`/${words.map(encodeURIComponent).join('/')}`))

const readable = (text: string): boolean => {
  try {
    tableOf(text)
    return true
  } catch {
    return false
  }
}

test('a pattern takes of a path what a route with that pattern takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      patternText.filter(readable),
      fc.array(pathText, { minLength: 1, maxLength: 20 }),
      async (pattern, paths) => {
        const routes = { [`GET ${pattern}`]: ({ params }: { params: object }) => ({ ...params }) }
        const server = await createServer({ plugins: [router(routes as never)] })
        for (const path of paths) {
          const answer = await server.inject({ url: path })
          const params = tableOf(pattern).find(path)?.params
          const decoded =
            params && Object.fromEntries([...params].map(([name, text]) => [name, decodeSegment(text)]))
          expect([path, answer.status === 404 ? undefined : answer.json()]).toEqual([path, decoded])
        }
        await server.stop()
      },
    ),
    { numRuns: 300 },
  )
})

test('a table of many finds what asking one after another would', () => {
  fc.assert(
    fc.property(
      fc.array(patternText.filter(readable), { minLength: 1, maxLength: 12 }),
      fc.array(pathText, { minLength: 1, maxLength: 10 }),
      (patterns, paths) => {
        const table = tableOf(...patterns)
        for (const path of paths) {
          const first = patterns.find(pattern => taken(pattern, path) !== null)
          const found = table.find(path)
          expect(found?.value).toBe(first)
          if (found !== null) expect(Object.fromEntries(found.params)).toEqual(taken(first!, path))
        }
      },
    ),
    { numRuns: 500 },
  )
})
