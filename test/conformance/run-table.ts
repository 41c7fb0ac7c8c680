import { expect } from 'vitest'
import { RawClient, type RawResponse } from '../support/raw-client.ts'
import { getOf } from './bytes.ts'
import type { Answer, Row, Step } from './row.ts'
import type { Subject } from './subject.ts'

/** Runs one row on a connection of its own. */
export async function runRow(row: Row, subject: Subject): Promise<void> {
  const { ended } = subject.test
  const before = ended.length
  await using client = await RawClient.connect(subject.test.port)
  for (const step of row.send) await take(step, client)
  for (const answer of row.expect.answers) await expectAnswer(answer, client)
  if (row.expect.afterwards === 'kept') await expectKept(client)
  else await expectOver(row, client)
  if (row.expect.refusal !== undefined) await expectRefusal(row, subject, before)
}

/** Does one step of what a row sends. */
export async function take(step: Step, client: RawClient): Promise<void> {
  if (typeof step === 'string') client.send(step)
  else if ('bytewise' in step) await client.sendSplit(step.bytewise)
  else if ('answer' in step) await expectAnswer(step.answer, client)
  else if ('closed' in step) await client.closed
  else client.end()
}

/** Reads the next answer and compares it with what a row expects. */
async function expectAnswer(answer: Answer, client: RawClient): Promise<void> {
  const response = await client.response({ toHead: answer.toHead === true, interim: true })
  expect(response.status, response.body.toString()).toBe(answer.status)
  expectSound(response)
  for (const [name, value] of Object.entries(answer.fields ?? {})) expectField(response, name, value)
  if (typeof answer.body === 'string') expect(response.body.toString('latin1')).toBe(answer.body)
  else if (answer.body !== undefined) expect(response.body.toString('latin1')).toMatch(answer.body)
  if (answer.trailers !== undefined) expect(response.trailers).toEqual(answer.trailers)
  if (answer.saw !== undefined) expect(JSON.parse(response.body.toString())).toMatchObject(answer.saw)
}

function expectField({ field }: RawResponse, name: string, value: string | RegExp | null): void {
  if (value === null) expect(field(name), name).toBeUndefined()
  else if (typeof value === 'string') expect(field(name), name).toBe(value)
  else expect(field(name), name).toMatch(value)
}

/** What holds for each answer of an origin server, whatever it answers. */
function expectSound({ status, field, fields }: RawResponse): void {
  const times = (name: string) => fields.filter(([each]) => each === name).length
  const framings = times('content-length') + times('transfer-encoding')
  // RFC 9112 6.1 and 6.2: never both, neither of them in 1xx and 204; a 304 may have one.
  if (status < 200 || status === 204) expect(framings).toBe(0)
  expect(framings).toBeLessThanOrEqual(1)
  // RFC 9110 6.6.1: an IMF-fixdate in every final answer; and what an attacker need not know.
  if (status >= 200)
    expect(field('date')).toMatch(/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/)
  expect(field('server')).toBeUndefined()
}

async function expectKept(client: RawClient): Promise<void> {
  expect(client.received).toBe('')
  client.send(getOf('/probe'))
  const { status, body } = await client.response()
  expect({ status, body: body.toString() }).toEqual({ status: 200, body: 'probe' })
}

/** Expects the end of a connection, and nothing before it that the row does not tell of. */
async function expectOver({ expect: { afterwards, rest = '' } }: Row, client: RawClient): Promise<void> {
  expect(await client.rest()).toBe(rest)
  expect(await client.closed).toBe(afterwards === 'reset' ? 'reset' : 'end')
}

async function expectRefusal({ expect: { refusal, answers } }: Row, subject: Subject, before: number) {
  const { ended, reports, untilEnded } = subject.test
  await untilEnded(before + Math.max(1, answers.length))
  const last = ended.at(-1)!
  expect(last.request.refused?.id).toBe(refusal)
  expect(last.outcome.result).toBe('refused')
  expect(reports.at(-1)?.code).toBe(refusal)
}
