/** Fields that carry credentials: whoever reads a trace may not become who it is of. */
const SECRET = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])

/** What stands in a trace for a value that nobody is to read. */
export const MASKED = '(masked)'

/** What stands in a trace for the value of a field. */
export const shown = (name: string, value: string): string => (SECRET.has(name) ? MASKED : value)

/** The same where a field may be absent. */
export const shownOr = (name: string, value: string | null): string | null =>
  value === null ? null : shown(name, value)
