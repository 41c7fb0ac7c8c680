/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }
}

/** Bytes that mean something to one recipient or another. */
const bytes = [...'\r\n\t \0\x01\x0b\x0c\x1c\x7f\x85\xa0\xff:;,="#%*/0159+-_xXaFgé'].map(character =>
  String.fromCharCode(character.charCodeAt(0) & 0xff),
)

/** Pieces that change where a message ends. */
const pieces = [
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\r\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'content-length:3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding:\tchunked \r\n',
  'Transfer-Encoding: identity\r\n',
  'Host: a\r\n',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  ';a=b',
  ', chunked',
  'chunked',
  ' HTTP/1.1\r\n',
  'HTTP/1.0',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'X: y\r\n',
  ' ',
]

type Mutation = (text: string, at: number, random: Random, corpus: readonly string[]) => string

const replaced = (text: string, at: number, count: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + count)

const mutations: readonly Mutation[] = [
  (text, at, random) => replaced(text, at, 1, random.pick(bytes)),
  (text, at, random) => replaced(text, at, 0, random.pick(bytes)),
  (text, at, random) => replaced(text, at, 1, String.fromCharCode(random.below(256))),
  (text, at, random) => replaced(text, at, 1 + random.below(4), ''),
  (text, at, random) => replaced(text, at, 0, text.slice(at, at + 1 + random.below(24))),
  (text, at, random) => replaced(text, at, 0, random.pick(pieces)),
  (text, at, random) => replaced(text, at, 1 + random.below(24), random.pick(pieces)),
  (text, at) => atLine(text, at, line => line + line),
  (text, at, random) => atLine(text, at, () => random.pick(pieces)),
  (text, at) => atLine(text, at, line => line.toLowerCase()),
  (text, at, random, corpus) => text.slice(0, at) + tail(random.pick(corpus), random),
  (text, _at, random, corpus) => text + random.pick(corpus),
]

/** A text of the corpus with one to three changes. */
export function mutated(corpus: readonly string[], random: Random): string {
  let text = random.pick(corpus)
  for (let count = 1 + random.below(3); count > 0; count--) {
    text = random.pick(mutations)(text, random.below(text.length + 1), random, corpus)
  }
  return text
}

function tail(text: string, random: Random): string {
  return text.slice(random.below(text.length + 1))
}

/** Changes the line, with its end, in which a position lies. */
function atLine(text: string, at: number, change: (line: string) => string): string {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const next = text.indexOf('\n', at)
  const end = next === -1 ? text.length : next + 1
  return text.slice(0, start) + change(text.slice(start, end)) + text.slice(end)
}
