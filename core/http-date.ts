const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const clock = '(\\d\\d):(\\d\\d):(\\d\\d)'
const IMF = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d\\d) ([A-Z][a-z]{2}) (\\d{4}) ${clock} GMT$`)
const RFC850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-([A-Z][a-z]{2})-(\\d\\d) ${clock} GMT$`,
)
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \\d]\\d) ${clock} (\\d{4})$`)

/** Milliseconds of an HTTP date in any of the three forms of RFC 9110 section 5.6.7, or null. */
export function httpDate(text: string): number | null {
  let found = IMF.exec(text)
  if (found !== null) return utc(Number(found[3]), found[2]!, found[1]!, found.slice(4))
  found = RFC850.exec(text)
  if (found !== null) return utc(fullYear(Number(found[3])), found[2]!, found[1]!, found.slice(4))
  found = ASCTIME.exec(text)
  return found === null ? null : utc(Number(found[6]), found[1]!, found[2]!, found.slice(3, 6))
}

// The day of the week is not compared: a date that names the wrong one still says which day it means.
function utc(year: number, monthName: string, dayText: string, clockTexts: readonly string[]): number | null {
  const month = months.indexOf(monthName)
  const day = Number(dayText)
  const [hour, minute, second] = clockTexts.map(Number) as [number, number, number]
  // A leap second is in the grammar.
  if (month === -1 || hour > 23 || minute > 59 || second > 60) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  if (date.getUTCDate() !== day) return null
  return date.setUTCHours(hour, minute, second)
}

// A two-digit year that appears to be more than 50 years ahead is of the century before.
function fullYear(year: number): number {
  const now = new Date().getUTCFullYear()
  const guess = now - (now % 100) + year
  return guess > now + 50 ? guess - 100 : guess
}
