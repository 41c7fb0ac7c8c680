import type { PatternPiece } from 'rawhttp'
import type { Rule } from './rule.ts'
import type { RuleTable } from './table.ts'

/** Browsers give up after about twenty redirects. */
const HOPS = 20

/** What a parameter may stand for, and no rule is likely to name. */
const EXAMPLE = 'x7'

/**
 * The way round that a request takes from a rule, with an arrow between its places; null when it comes to an end, to
 * another server, or nobody can tell. The rules themselves are asked, so that what is found is true.
 */
export function circleFrom(rule: Rule, table: RuleTable): string | null {
  const start = examplePath(rule)
  if (start === null) return null
  const places = [start]
  const seen = new Set<string>()
  let { method } = rule.example
  let here = { path: start, search: '' }
  while (places.length <= HOPS) {
    const found = table.find(here.path, { ...rule.example, method, path: here.path })
    const destination = found?.value.destination ?? null
    if (found === null || destination === null || destination.origin !== null) return null
    const last = places[places.length - 1]!
    if (seen.has(`${method} ${last}`)) return shown(places)
    seen.add(`${method} ${last}`)
    here = destination.reach(found.params, found.value.keepsQuery ? here.search : '')
    places.push(`${here.path}${here.search}`)
    // Who is where he should be is not sent anywhere; but a rule that never sends anybody is a mistake.
    if (places[places.length - 1] === last) return places.length === 2 ? shown(places) : null
    method = methodAfter(found.value.status, method)
  }
  return `${shown(places.slice(0, 4))} -> …`
}

/** A path that a rule's pattern fits; null where an expression takes none of the usual. */
function examplePath({ pattern }: Rule): string | null {
  let path = ''
  for (const piece of pattern.variants[0]!) {
    const text = exampleOf(piece)
    if (text === undefined) return null
    path += text
  }
  return path
}

function exampleOf(piece: PatternPiece): string | undefined {
  if (piece.kind === 'static') return piece.text
  if (piece.kind === 'wildcard' || piece.regex === '') return EXAMPLE
  const expression = new RegExp(`^(?:${piece.regex})$`)
  return [EXAMPLE, '1', '10', '2030', 'en', 'a-b'].find(text => expression.test(text))
}

// RFC 9110 sections 15.4.2 to 15.4.4: clients turn these into a GET.
function methodAfter(status: number | null, method: string): string {
  if (status === 303) return 'GET'
  return (status === 301 || status === 302) && method === 'POST' ? 'GET' : method
}

const shown = (paths: readonly string[]): string => paths.join(' -> ')
