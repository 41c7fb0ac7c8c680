import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RouteTable } from '../../../plugins/router/table.ts'
import { requestOf } from '../../support/in-memory.ts'

// Few texts, so that patterns and paths meet; some of them begin alike, and some have escapes.
const word = fc.constantFrom('a', 'b', 'ab', 'abc', 'a-b', 'b.c', 'c%2Fd', 'caf%C3%A9', 'a:b')
const segment = fc.oneof(
  { weight: 8, arbitrary: word.map(text => () => text.replace(':', '::')) },
  { weight: 5, arbitrary: fc.constant((name: string) => `:${name}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      (name: string) => `a-:${name}`,
      (name: string) => `:${name}.c`,
    ),
  },
)
const end = fc.constantFrom('', '', '', '/', '/*', '/:last?', '*')
const method = fc.constantFrom('GET', 'GET', 'HEAD', 'POST')

const key = fc.tuple(method, fc.array(segment, { maxLength: 4 }), end).map(([verb, segments, last]) => {
  const path = segments.map((written, index) => `/${written(`p${index}`)}`)
  return `${verb} ${path.join('') + last || '/'}`
})
const path = fc
  .tuple(fc.array(word, { maxLength: 6 }), fc.constantFrom('', '/'))
  .map(([segments, slash]) => `/${segments.join('/')}${slash}`)

/** What a table says of a path, or why there is no such table. */
function answersOf(keys: readonly string[], ignoresSlash: boolean, paths: readonly string[]): unknown {
  let table: RouteTable
  try {
    table = new RouteTable(null, Object.fromEntries(keys.map(each => [each, () => each])), { ignoresSlash })
  } catch (error) {
    return (error as Error).message
  }
  return paths.flatMap(target =>
    ['GET', 'HEAD', 'POST', 'DELETE'].map(verb => {
      const request = requestOf({ method: verb, target })
      const match = table.find(request)
      const found = match && [match.store.key, Object.entries(match.params)]
      return [verb, target, found, table.methodsOf(request)]
    }),
  )
}

// A route with an expression sends its whole table to find-my-way. This one is found by none of the requests.
const other = 'PURGE /:x(never)'

test('the tree of segments and find-my-way say the same of all paths', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      fc.array(path, { minLength: 1, maxLength: 10 }),
      (keys, ignoresSlash, paths) => {
        expect(answersOf(keys, ignoresSlash, paths)).toEqual(answersOf([...keys, other], ignoresSlash, paths))
      },
    ),
    { numRuns: 400 },
  )
})
