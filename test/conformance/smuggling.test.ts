import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { getOf, SMUGGLED_TARGET, smuggled } from './bytes.ts'
import { CLOSED, type Row, type Step } from './row.ts'
import { take } from './run-table.ts'
import { type Subject, startSubject } from './subject.ts'
import { refusedRows } from './tables/index.ts'

// RFC 9112 section 11.2: once a message is in doubt, so is the place where the next one begins. Each refused message
// of the table is followed by a request where a more lenient reader would find one.

let anyHost: Subject
let oneHost: Subject

beforeAll(async () => {
  anyHost = await startSubject(['*'])
  oneHost = await startSubject(['a'])
})

afterAll(async () => {
  await anyHost.test[Symbol.asyncDispose]()
  await oneHost.test[Symbol.asyncDispose]()
})

const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n`

/** Where the hidden request stands: behind the message, or as what one of its readings takes for the body. */
const hiddenIn: Readonly<Record<string, string>> = {
  'right behind': smuggled,
  'behind an empty line': `\r\n\r\n${smuggled}`,
  'behind a last chunk': `0\r\n\r\n${smuggled}`,
  'in a chunk': `${chunk}0\r\n\r\n`,
  'behind five bytes of body': `hello${smuggled}`,
}

describe.each(Object.entries(hiddenIn))(
  'a request %s of a refused message is not parsed',
  (_where, hidden) => {
    test.each(refusedRows)('$name', async row => {
      await using client = await RawClient.connect(subjectOf(row).test.port)
      await expectNothingMore(row, client, withBytes(row.send, hidden))
    })
  },
)

describe('a request that is sent after the refusal has come is not parsed', () => {
  test.each(refusedRows)('$name', async row => {
    await using client = await RawClient.connect(subjectOf(row).test.port)
    await expectNothingMore(row, client, [...row.send, CLOSED, smuggled])
  })
})

const subjectOf = ({ on }: Row): Subject => (on === 'one-host' ? oneHost : anyHost)

function withBytes(steps: readonly Step[], hidden: string): readonly Step[] {
  const last = steps.at(-1)
  if (typeof last === 'string') return [...steps.slice(0, -1), last + hidden]
  return [...steps, hidden]
}

/** Expects the answers of the row, the end of the connection, and no trace of another request. */
async function expectNothingMore(row: Row, client: RawClient, steps: readonly Step[]): Promise<void> {
  const { test, handled } = subjectOf(row)
  const { answers, refusal } = row.expect
  const before = test.ended.length
  for (const step of steps) await take(step, client)
  const received = await client.rest()
  expect(statusesIn(received)).toEqual(answers.map(({ status }) => status))
  await ask(test.port)
  const ended = await test.untilEnded(before + Math.max(1, answers.length) + 1)
  const since = ended.slice(before).map(({ request }) => request)
  expect(since).toHaveLength(Math.max(1, answers.length) + 1)
  expect(since.flatMap(({ refused }) => refused?.id ?? [])).toEqual([refusal])
  expect([...handled, ...since.map(({ target }) => target)]).not.toContain(SMUGGLED_TARGET)
}

const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status))

/** A request on a connection of its own: when it is answered, what came before it was dealt with. */
async function ask(port: number): Promise<void> {
  await using client = await RawClient.connect(port)
  client.send(getOf('/text'))
  expect((await client.response()).status).toBe(200)
}
