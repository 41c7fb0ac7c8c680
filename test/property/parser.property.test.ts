import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventsOf, type ParserEvent, Recorder } from '../core/record.ts'
import { counting, countingAllocations } from './counted-buffer.ts'
import { bytes, cut, cuts, type Message, message, pipeline } from './messages.ts'

const numRuns = 2_000
/** Limits that short messages reach. */
const limits = fc.record({
  headBytes: fc.integer({ min: 1, max: 150 }),
  headers: fc.integer({ min: 1, max: 4 }),
  targetBytes: fc.integer({ min: 1, max: 20 }),
})

function meant({ method, target, minor, fields, body, trailers }: Message): unknown[] {
  const head = { kind: 'head', method, target, minor, fields }
  const pieces = body === '' ? [] : [{ kind: 'body', bytes: body }]
  return [{ kind: 'begin' }, head, ...pieces, { kind: 'end', trailers }]
}

function told(event: ParserEvent): unknown {
  if (event.kind !== 'head') return event
  const { method, target, minor, fields } = event.head
  return { kind: 'head', method, target, minor, fields }
}

describe('the parser', () => {
  it('tells of valid requests what they were written from, however they are cut', () => {
    const property = fc.property(pipeline, cuts, (messages, sizes) => {
      const text = messages.map(({ text }) => text).join('')
      expect(eventsOf(cut(text, sizes)).map(told)).toEqual(messages.flatMap(meant))
    })
    fc.assert(property, { numRuns })
  })

  it('tells the same of any bytes, however they are cut', () => {
    const property = fc.property(bytes, cuts, (text, sizes) => {
      expect(eventsOf(cut(text, sizes))).toEqual(eventsOf([text]))
    })
    fc.assert(property, { numRuns: numRuns * 2 })
  })

  it('tells the same however bytes are cut when they reach its limits', () => {
    const property = fc.property(bytes, cuts, limits, (text, sizes, some) => {
      expect(eventsOf(cut(text, sizes), some)).toEqual(eventsOf([text], some))
    })
    fc.assert(property, { numRuns: numRuns * 2 })
  })

  // The recorder throws when `execute` stands still or goes beyond the chunk.
  it('never throws and always gets on, whatever comes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (random, sizes) => {
      const recorder = new Recorder()
      recorder.feed(...cut(Buffer.from(random).toString('latin1'), sizes))
      const kinds = recorder.events.map(({ kind }) => kind).join(' ')
      expect(kinds).toMatch(/^(?:begin head (?:body )?end ?)*(?:begin ?)?(?:head ?)?(?:body ?)?(?:refused)?$/)
    })
    fc.assert(property, { numRuns })
  })

  it('stops behind the last byte of a message, whatever follows and wherever a chunk ends', () => {
    const property = fc.property(message, fc.nat(), bytes, ({ text }, place, behind) => {
      const at = place % text.length
      const recorder = new Recorder()
      recorder.feed(text.slice(0, at))
      const chunk = Buffer.from(text.slice(at) + behind, 'latin1')
      let position = 0
      while (recorder.events.at(-1)?.kind !== 'end') position = recorder.parser.execute(chunk, position)
      expect(position).toBe(text.length - at)
    })
    fc.assert(property, { numRuns })
  })

  it('reads nothing behind the end of a message into it', () => {
    const property = fc.property(bytes, cuts, (text, sizes) => {
      const recorder = new Recorder()
      let read = 0
      for (const piece of cut(text, sizes)) {
        for (let at = 0; at < piece.length; ) {
          at = recorder.parser.execute(piece, at)
          const { events } = recorder
          if (events.at(-1)?.kind === 'end') expect(eventsOf([text.slice(0, read + at)])).toEqual(events)
        }
        read += piece.length
      }
    })
    fc.assert(property, { numRuns: 500 })
  })
})

// Each byte is looked at about twice, made text once, and copied and allocated a few times when it comes alone; what a
// message costs apart from its bytes is the least buffer of a head in pieces.
describe('the work of the parser', () => {
  const PER_BYTE = 12
  const PER_MESSAGE = 1_200

  function workOf(pieces: readonly Buffer[]): number {
    const work = { bytes: 0 }
    countingAllocations(work, () => {
      new Recorder({ headers: 10_000 }).feed(...pieces.map(piece => counting(piece, work)))
    })
    return work.bytes
  }

  it('grows with the bytes that come, not with how they are cut', () => {
    const property = fc.property(bytes, cuts, (text, sizes) => {
      const messages = text.split('HTTP').length + 1
      expect(workOf(cut(text, sizes))).toBeLessThan(PER_BYTE * text.length + PER_MESSAGE * messages)
    })
    fc.assert(property, { numRuns: 500 })
  })

  const long = 15_000
  const chunkedHead = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  it.each([
    ['a long target', `GET /${'a'.repeat(8_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['a long name', `GET / HTTP/1.1\r\nHost: a\r\n${'n'.repeat(long)}: v\r\n\r\n`],
    ['a long value', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'v'.repeat(long)}\r\n\r\n`],
    ['white space as a value', `GET / HTTP/1.1\r\nHost: a\r\nX:${' '.repeat(long)}\r\n\r\n`],
    ['white space within a value', `GET / HTTP/1.1\r\nHost: a\r\nX: a${' '.repeat(long)}b\r\n\r\n`],
    ['many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(long / 4)}\r\n`],
    ['a body', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${long}\r\n\r\n${'b'.repeat(long)}`],
    ['many chunks', `${chunkedHead}${'1\r\nx\r\n'.repeat(long / 6)}0\r\n\r\n`],
    ['many trailers', `${chunkedHead}0\r\n${'a:\r\n'.repeat(long / 4)}\r\n`],
    ['many messages', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(long / 28)],
    ['a head that never ends', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'v'.repeat(2 * long)}`],
  ])('stays linear for %s, whole, in halves and byte by byte', (_, text) => {
    const half = Math.ceil(text.length / 2)
    const messages = text.split('HTTP').length
    for (const sizes of [[], [half], [1, half], new Array<number>(text.length).fill(1)]) {
      // One buffer a message, at most, and one more where a chunk ends within the trailers.
      const fixed = PER_MESSAGE * Math.min(messages, sizes.length) + PER_MESSAGE
      expect(workOf(cut(text, sizes))).toBeLessThan(PER_BYTE * text.length + fixed)
    }
  })
})
