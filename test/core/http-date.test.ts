import { afterEach, describe, expect, it, vi } from 'vitest'
import { httpDate } from '../../core/http-date.ts'

describe('an HTTP date', () => {
  afterEach(() => void vi.useRealTimers())
  const milliseconds = Date.UTC(1994, 10, 6, 8, 49, 37)

  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'may be written %s',
    text => {
      expect(httpDate(text)).toBe(milliseconds)
    },
  )

  it.each([
    ['Tue, 29 Feb 2000 23:59:59 GMT', Date.UTC(2000, 1, 29, 23, 59, 59)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Thu Jan 31 00:00:00 2002', Date.UTC(2002, 0, 31)],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['Sat, 01 Jan 0050 00:00:00 GMT', Date.parse('0050-01-01T00:00:00Z')],
  ])('%s is a day of the calendar', (text, expected) => {
    expect(httpDate(text)).toBe(expected)
  })

  it.each([
    '',
    '0',
    '-1',
    '1994',
    'now',
    '1994-11-06T08:49:37Z',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37 gmt',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sun, 06 Nov 1994 08:49 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun,06 Nov 1994 08:49:37 GMT',
    'Xxx, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Xxx 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Tue, 29 Feb 1900 00:00:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06-Nov-94 08:49:37 GMT',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Sunday, 32-Jan-94 08:49:37 GMT',
    'Xday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    'Sun Nov 06 08:49:37 1994 GMT',
    'Sun Nov    08:49:37 1994',
    'Sun Feb 30 08:49:37 1994',
  ])('is not %j', text => {
    expect(httpDate(text)).toBeNull()
  })

  it.each([
    ['2026-06-01', '00', 2000],
    ['2026-06-01', '26', 2026],
    ['2026-06-01', '76', 2076],
    ['2026-06-01', '77', 1977],
    ['2026-06-01', '99', 1999],
    ['2099-06-01', '99', 2099],
    ['2099-06-01', '49', 2049],
  ])('in %s takes the year %s for %i', (today, year, expected) => {
    vi.useFakeTimers({ now: new Date(today) })
    expect(new Date(httpDate(`Sunday, 01-Mar-${year} 00:00:00 GMT`)!).getUTCFullYear()).toBe(expected)
  })
})
