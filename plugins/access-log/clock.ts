const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Keeps what `make` gave for a second: neighbouring lines share it. */
function onceASecond(make: (milliseconds: number) => string): (milliseconds: number) => string {
  let second = Number.NaN
  let text = ''
  return milliseconds => {
    const now = Math.floor(milliseconds / 1_000)
    if (now !== second) {
      second = now
      text = make(now * 1_000)
    }
    return text
  }
}

/** Local time as Apache writes it, for `%t` without its brackets: `22/Nov/2026:09:05:03 +0100`. */
export const clfTime = onceASecond(milliseconds => {
  const date = new Date(milliseconds)
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`
  return `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${offsetOf(date)}`
})

const isoSecond = onceASecond(milliseconds => new Date(milliseconds).toISOString().slice(0, 19))

/** UTC in ISO 8601, to the millisecond: `2026-11-22T08:05:03.120Z`. */
export function isoTime(milliseconds: number): string {
  return `${isoSecond(milliseconds)}.${String(Math.floor(milliseconds) % 1_000).padStart(3, '0')}Z`
}

function offsetOf(date: Date): string {
  // JavaScript counts west of Greenwich as positive.
  const minutes = -date.getTimezoneOffset()
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}
