/** Who may use each feature: `[]` nobody, `'*'` everybody, else `'self'`, `'src'` and origins. */
export type Permissions = Readonly<Record<string, '*' | readonly string[]>>

const FEATURE = /^[a-z][a-z0-9-]*$/
/** As browsers write it; a star may stand for the names below one. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-f:.]+\]|(?:\*\.)?[a-z0-9._~-]+)(?::\d{1,5})?$/

/**
 * The value of Permissions-Policy: a dictionary of structured fields (RFC 9651).
 *
 * @throws Error with a sentence about what no browser would understand.
 */
export function permissionsText(permissions: Permissions): string {
  const entries = Object.entries(permissions)
  if (entries.length === 0) throw new Error('expected at least one feature, got none')
  return entries.map(([feature, list]) => `${checkedFeature(feature)}=${listText(feature, list)}`).join(', ')
}

function checkedFeature(feature: string): string {
  if (FEATURE.test(feature)) return feature
  throw new Error(`expected the name of a feature such as camera, got '${feature}'`)
}

function listText(feature: string, list: unknown): string {
  if (list === '*') return '*'
  if (!Array.isArray(list)) throw new Error(`${feature}: expected a list such as ['self'], or '*'`)
  return `(${list.map(each => member(feature, String(each))).join(' ')})`
}

function member(feature: string, text: string): string {
  if (text === 'self' || text === 'src') return text
  if (text === "'self'" || text === "'src'") throw new Error(`${feature}: write ${text}, not "${text}"`)
  if (ORIGIN.test(text)) return `"${text}"`
  throw new Error(
    `${feature}: expected 'self', 'src' or an origin such as 'https://a.example', got '${text}'`,
  )
}
