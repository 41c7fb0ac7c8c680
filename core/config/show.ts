const longest = 60

/** A value as an error names it: short, on one line, and never a dump of a whole object. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol' || typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return showKeys(Object.keys(value))
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object'
}

/** A string in single quotes, cut where it would fill the screen, control characters escaped. */
export function quote(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return `'${JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"')}'`
}

function showKeys(keys: readonly string[]): string {
  if (keys.length === 0) return 'an empty object'
  const some = keys.slice(0, 5).map(quote).join(', ')
  return `an object with ${keys.length === 1 ? 'the key' : 'the keys'} ${some}${keys.length > 5 ? ', …' : ''}`
}
