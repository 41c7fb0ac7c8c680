import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { RawResponse } from '../support/raw-client.ts'
import type { Question } from './connection.ts'
import { big, EVENTS, hashOf, noise, PIECES, page, pieceOf, small } from './content.ts'

const pageBytes = Buffer.from(page)
const stream = Array.from({ length: PIECES }, (_, piece) => pieceOf(piece, page)).join('')
const random = (below: number): number => Math.floor(Math.random() * below)

function is(response: RawResponse, body: Uint8Array | string, status = 200): string | null {
  if (response.status !== status) return `status ${response.status}, not ${status}`
  if (response.body.equals(Buffer.from(body))) return null
  return `${response.body.length} bytes that are not the ${body.length} that it has`
}

const file = (path: string, body: Uint8Array | string): Question => ({
  path,
  check: answer => is(answer, body),
})

const json = (): Question => {
  const id = String(random(1_000_000))
  return { path: `/json/${id}`, check: answer => is(answer, JSON.stringify({ id })) }
}

const decoders = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
} as const

const coded = (path: string): Question => {
  const coding = (['gzip', 'br', 'zstd'] as const)[random(3)]!
  return {
    path,
    fields: [`Accept-Encoding: ${coding}`],
    check(answer) {
      if (answer.field('content-encoding') !== coding) return `coded as ${answer.field('content-encoding')}`
      return is({ ...answer, body: decoders[coding](answer.body) }, page)
    },
  }
}

const range = (): Question => {
  const from = random(big.length - 1)
  const to = Math.min(big.length - 1, from + random(100_000))
  return {
    path: '/big.bin',
    fields: [`Range: bytes=${from}-${to}`],
    check: answer => is(answer, big.subarray(from, to + 1), 206),
  }
}

export const questions = {
  file: (): Question => file('/small.txt', small),
  page: (): Question => file('/page.html', pageBytes),
  big: (): Question => file('/big.bin', big),
  cached: (): Question => file('/cached', pageBytes),
  stream: (): Question => file('/stream', stream),
  json,
  coded: (): Question => coded(random(2) === 0 ? '/page.html' : '/cached'),
  range,
  missing: (): Question => ({
    path: '/nowhere',
    check: ({ status }) => (status === 404 ? null : `status ${status}`),
  }),
  failing: (): Question => ({
    path: '/fail',
    check: ({ status }) => (status === 500 ? null : `status ${status}`),
  }),
  head: (): Question => ({
    method: 'HEAD',
    path: '/big.bin',
    check: answer => (Number(answer.field('content-length')) === big.length ? null : 'another length'),
  }),
  health: (): Question => file('/readyz', 'ok\n'),
  metrics: (): Question => ({
    path: '/metrics',
    check: ({ status, body }) =>
      status === 200 && /^# TYPE http_requests_total counter$/m.test(body.toString())
        ? null
        : `status ${status}, no figures`,
  }),
} satisfies Readonly<Record<string, () => Question>>

/** A file that the client has by its tag. */
export const unchanged = (etag: string): Question => ({
  path: '/page.html',
  fields: [`If-None-Match: ${etag}`],
  // The tag of a file that has just been written is weak, and strong a moment later.
  check: answer =>
    answer.field('etag')?.replace('W/', '') === etag.replace('W/', '') ? is(answer, '', 304) : 'another tag',
})

export function upload(): Question {
  const body = noise(1 + random(300_000))
  const isChunked = random(2) === 0
  const middle = random(body.length)
  const chunk = (piece: Buffer) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, crlf])
  const chunks = [body.subarray(0, middle), body.subarray(middle)]
    .filter(({ length }) => length > 0)
    .map(chunk)
  return {
    method: 'POST',
    path: '/sum',
    fields: [isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`],
    body: isChunked ? Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]) : body,
    check: answer => is(answer, hashOf(body)),
  }
}

/** A stream of events, all of them, or as many as there were when the server asked it to end. */
export const events: Question = {
  path: '/events',
  check({ status, body }) {
    if (status !== 200) return `status ${status}`
    const text = body.toString()
    const numbers = [...text.matchAll(/^data: (\d+)$/gm)].map(([, number]) => Number(number))
    if (numbers.some((number, at) => number !== at)) return `events ${numbers.join(', ')}`
    const isWhole = numbers.length === EVENTS || /^retry: \d+$/m.test(text)
    return isWhole ? null : `${numbers.length} events, and no word of when to come back`
  },
}

const crlf = Buffer.from('\r\n')
