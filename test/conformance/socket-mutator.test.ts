import { HttpResponse } from 'rawhttp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../support/server.ts'
import { HEAD_BYTES, HEADERS, TARGET_BYTES } from './bytes.ts'
import { seeds } from './corpus.ts'
import { mutated, Random } from './mutator.ts'
import { readNaively } from './naive-reader.ts'

// The parser alone is put to the same question 200,000 times in mutator.test.ts. Here the whole server is asked: that
// nothing between parser and handler accepts, loses or changes a message, and that each connection ends.

const INPUTS = 2_000
const SEED = 9_110

/** A request as its handler saw it. */
interface Handled {
  readonly method: string
  readonly target: string
  readonly fields: readonly string[]
  /** null when it broke off. */
  body: string | null
}

let served: TestServer
let handled: Handled[] = []

beforeAll(async () => {
  const handler = answering(async request => {
    const { method, target, headers, body } = request
    const seen: Handled = { method, target, fields: [...headers].flat(), body: null }
    handled.push(seen)
    seen.body = (await body.bytes()).toString('latin1')
    return HttpResponse.text('seen')
  })
  served = await startServer({
    limits: { headBytes: HEAD_BYTES, headers: HEADERS, targetBytes: TARGET_BYTES },
    sites: [{ name: 'subject', plugins: [handler] }],
  })
})

afterAll(() => served[Symbol.asyncDispose]())

/** Sends a text in two pieces, ends the client's side, and gives how the server ended its own. */
async function ending(text: string, cut: number): Promise<string> {
  await using client = await RawClient.connect(served.port)
  client.send(text.slice(0, cut))
  client.send(text.slice(cut))
  client.end()
  return await client.closed
}

/** The requests that the naive reader finds at the beginning of a text, as many as were handled. */
function expected(text: string, count: number): Handled[] {
  const found: Handled[] = []
  for (let from = 0; found.length < count; ) {
    const naive = readNaively(text, from)
    if (naive.kind !== 'request') break
    const { method, target, fields, body, end } = naive.request
    found.push({ method, target, fields, body })
    from = end
  }
  return found
}

test(`what reaches a handler of ${INPUTS} mutations is what the naive reader reads`, async () => {
  const random = new Random(SEED)
  let accepted = 0
  for (let i = 0; i < INPUTS; i++) {
    const text = mutated(seeds, random)
    handled = []
    const ended = served.ended.length
    const how = await ending(text, random.below(text.length + 1))
    const input = `input ${i}, ${JSON.stringify(text)}`
    // A TLS handshake is cut without an answer.
    expect(how, input).toBe(/^(?:\r\n)?\x16/.test(text) ? 'reset' : 'end')
    const whole = handled.filter(({ body }) => body !== null)
    expect(handled.length - whole.length, `${input}: only the last may break off`).toBeLessThan(2)
    expect(whole, input).toEqual(expected(text, whole.length))
    for (const { outcome } of served.ended.slice(ended))
      expect(outcome.result, input).toMatch(/^(?:sent|refused)$/)
    accepted += whole.length
  }
  for (const { code } of served.reports) expect(code).toMatch(/^(?:H1|PATH|HOST)-/)
  expect(accepted).toBeGreaterThan(INPUTS / 10)
})
