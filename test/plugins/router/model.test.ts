import fc from 'fast-check'
import { router } from 'rawhttp/plugins/router'
import { expect, test } from 'vitest'
import { serve } from './serve.ts'

// Few letters, so that patterns and paths meet; some escapes, so that both are decoded.
const word = fc.constantFrom('a', 'b', 'ab', 'é', 'a b', 'x%y', '?', '#')
const segment = fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: fc.constant(':') })
const pattern = fc.record({
  segments: fc.array(segment, { minLength: 1, maxLength: 4 }),
  isWild: fc.boolean(),
})
type Pattern = { readonly segments: readonly string[]; readonly isWild: boolean }

const keyOf = ({ segments, isWild }: Pattern) => {
  const parts = segments.map((part, index) => (part === ':' ? `:p${index}` : encodeURIComponent(part)))
  return `GET /${parts.join('/')}${isWild ? '/*' : ''}`
}

/** The most naive matcher: try all, take the one that is static the longest. */
function expected(patterns: readonly Pattern[], path: readonly string[]): Record<string, string> | null {
  const fitting = patterns.filter(({ segments, isWild }) => {
    const fitsLength = isWild ? path.length > segments.length : path.length === segments.length
    return fitsLength && segments.every((part, index) => part === ':' || part === path[index])
  })
  const rank = ({ segments, isWild }: Pattern) =>
    segments.map(part => (part === ':' ? '1' : '2')).join('') + (isWild ? '0' : '3')
  const best = fitting.sort((a, b) => (rank(a) < rank(b) ? 1 : -1))[0]
  if (best === undefined) return null
  const params = best.segments.flatMap((part, index) => (part === ':' ? [[`p${index}`, path[index]!]] : []))
  const rest = best.isWild ? [['*', path.slice(best.segments.length).join('/')]] : []
  return Object.fromEntries([['key', keyOf(best)], ...params, ...rest])
}

test('a table finds what a linear matcher finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(pattern, { selector: keyOf, minLength: 1, maxLength: 8 }),
      fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 10 }),
      async (patterns, paths) => {
        const routes = Object.fromEntries(
          patterns.map(each => [
            keyOf(each),
            ({ params }: { params: object }) => ({ key: keyOf(each), ...params }),
          ]),
        )
        const served = await serve(router(routes as never))
        for (const path of paths) {
          const answer = await served.ask(`GET /${path.map(encodeURIComponent).join('/')}`)
          expect(answer.status === 404 ? null : answer.json()).toEqual(expected(patterns, path))
        }
      },
    ),
    { numRuns: 200 },
  )
})
