import { test } from 'vitest'
import { Parser, type ParserEvents } from '../../../core/parser.ts'
import { browserFields } from './support.ts'

const limits = { headBytes: 16_384, headers: 100, targetBytes: 8_192 }
const deaf: ParserEvents = {
  onBegin: () => undefined,
  onHead: () => undefined,
  onBody: () => undefined,
  onEnd: () => undefined,
  onRefused: id => {
    throw new Error(`refused: ${id}`)
  },
}

const small = 'GET /1kb.html HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nuser-agent: h2load\r\n\r\n'
const fields = browserFields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
const browser = `GET /articles/of-today?page=2 HTTP/1.1\r\n${fields}\r\n`
const chunked = `POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1_024)}\r\n`.repeat(8)}0\r\n\r\n`

/** Reads all that one chunk holds, with a parser of its own, as a connection does. */
function reader(text: string): () => void {
  const bytes = Buffer.from(text)
  return () => {
    const parser = new Parser(deaf, limits)
    for (let at = 0; at < bytes.length; ) at = parser.execute(bytes, at)
  }
}

test('parser', async ({ bench }) => {
  const halves = [browser.slice(0, 300), browser.slice(300)].map(text => Buffer.from(text))
  await bench.compare(
    bench('a head of a load generator', reader(small)),
    bench('a head of a browser', reader(browser)),
    bench('16 heads of a load generator', reader(small.repeat(16))),
    bench('8 kB in chunks', reader(chunked)),
    bench('a head of a browser in two chunks', () => {
      const parser = new Parser(deaf, limits)
      for (const half of halves) parser.execute(half, 0)
    }),
  )
})
