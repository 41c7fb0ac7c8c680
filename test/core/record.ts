import type { RefusalId } from '../../core/errors.ts'
import type { RequestHead } from '../../core/framing.ts'
import { Parser, type ParserEvents, type ParserLimits } from '../../core/parser.ts'

export const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
export const chunkedHead = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
export const chunked = (body: string): string => chunkedHead + body
export const request = (line: string, ...fields: string[]): string =>
  `${[line, ...fields].join('\r\n')}\r\n\r\n`
export const withField = (field: string): string => request('GET / HTTP/1.1', 'Host: a', field)

/** What a parser told: pieces of a body that follow each other are one. */
export type ParserEvent =
  | { readonly kind: 'begin' }
  | { readonly kind: 'head'; readonly head: RequestHead }
  | { readonly kind: 'body'; readonly bytes: string }
  | { readonly kind: 'end'; readonly trailers: readonly string[] }
  | { readonly kind: 'refused'; readonly id: RefusalId; readonly head: RequestHead }

const limits: ParserLimits = { headBytes: 16_384, headers: 100, targetBytes: 8_192 }

/** Writes down what a parser tells. Pieces are made text only when asked, so that one overwritten later is seen. */
export class Recorder implements ParserEvents {
  readonly parser: Parser
  readonly #told: (Exclude<ParserEvent, { kind: 'body' }> | { kind: 'pieces'; pieces: Buffer[] })[] = []

  constructor(some: Partial<ParserLimits> = {}) {
    this.parser = new Parser(this, { ...limits, ...some })
  }

  /** Feeds each piece to its end, as a connection does. Gives the positions at which `execute` stopped. */
  feed(...pieces: readonly (string | Buffer)[]): number[] {
    return pieces.flatMap(piece => this.#feed(bytesOf(piece)))
  }

  #feed(chunk: Buffer): number[] {
    const stops: number[] = []
    for (let at = 0; at < chunk.length; ) {
      const next = this.parser.execute(chunk, at)
      if (next <= at || next > chunk.length) throw new Error(`execute went from ${at} to ${next}`)
      at = next
      stops.push(at)
    }
    return stops
  }

  get events(): ParserEvent[] {
    return this.#told.map(event =>
      event.kind === 'pieces' ? { kind: 'body', bytes: textOf(Buffer.concat(event.pieces)) } : event,
    )
  }

  onBegin(): void {
    this.#told.push({ kind: 'begin' })
  }

  onHead(head: RequestHead): void {
    this.#told.push({ kind: 'head', head })
  }

  onBody(piece: Buffer): void {
    const last = this.#told.at(-1)
    if (last?.kind === 'pieces') last.pieces.push(piece)
    else this.#told.push({ kind: 'pieces', pieces: [piece] })
  }

  onEnd(trailers: readonly string[]): void {
    this.#told.push({ kind: 'end', trailers })
  }

  onRefused(id: RefusalId, head: RequestHead): void {
    this.#told.push({ kind: 'refused', id, head })
  }
}

/** Bytes of a text of latin1 characters. */
const bytesOf = (text: string | Buffer): Buffer =>
  typeof text === 'string' ? Buffer.from(text, 'latin1') : text

const textOf = (bytes: Buffer): string => bytes.toString('latin1')

/** What a parser tells of some chunks. */
export function eventsOf(pieces: readonly (string | Buffer)[], some?: Partial<ParserLimits>): ParserEvent[] {
  const recorder = new Recorder(some)
  recorder.feed(...pieces)
  return recorder.events
}

/** A message in short: `GET /a`, `POST /b body`, `!H1-METHOD`. For tests of where one message ends. */
export function outline(events: readonly ParserEvent[]): string[] {
  const lines: string[] = []
  for (const event of events) {
    if (event.kind === 'head') lines.push(`${event.head.method} ${event.head.target}`)
    else if (event.kind === 'body') lines.push(`${lines.pop()} ${event.bytes}`)
    else if (event.kind === 'refused') lines.push(`!${event.id}`)
  }
  return lines
}

/** Each byte in a chunk of its own. */
export const byteByByte = (text: string): Buffer[] => [...bytesOf(text)].map(byte => Buffer.from([byte]))

/** The head that is told first. */
export function headOf(...pieces: string[]): RequestHead {
  const event = eventsOf(pieces).find(({ kind }) => kind === 'head')
  if (event?.kind !== 'head') throw new Error('no head was told')
  return event.head
}

/** Why the last message is refused, if it is. */
export function refusalOf(
  pieces: readonly (string | Buffer)[],
  some?: Partial<ParserLimits>,
): RefusalId | undefined {
  const last = eventsOf(pieces, some).at(-1)
  return last?.kind === 'refused' ? last.id : undefined
}

/** The same for a text in one chunk, and byte by byte. */
export function refusals(text: string, some?: Partial<ParserLimits>): (RefusalId | undefined)[] {
  return [refusalOf([text], some), refusalOf(byteByByte(text), some)]
}
