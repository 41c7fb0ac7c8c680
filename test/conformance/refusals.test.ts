import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { type RefusalId, refusals } from '../../core/errors.ts'
import { RawClient } from '../support/raw-client.ts'
import { startServer } from '../support/server.ts'
import { PAGE, refusalsDoc } from './refusals-doc.ts'
import { refusedRows } from './tables/index.ts'

const timeoutTest = 'half a head that does not go on is refused when its time is over'

/** Ids that do not come of the bytes of one message, and the test that reaches them. */
const reachedElsewhere: Partial<Record<RefusalId, string>> = { 'H1-HEAD-TIMEOUT': timeoutTest }

test.each(Object.keys(refusals))('%s is reached by a row of the table, or by a test that is named', id => {
  const rows = refusedRows.filter(row => row.expect.refusal === id)
  if (id in reachedElsewhere) expect(rows).toEqual([])
  else expect(rows.length).toBeGreaterThan(0)
})

test('each row expects the status that the table of refusals has', () => {
  for (const {
    name,
    expect: { answers, refusal },
  } of refusedRows) {
    const status = answers.at(-1)?.status
    if (status !== undefined) expect(status, name).toBe(refusals[refusal!].status)
  }
})

test('docs/refusals.md is what refusals-doc.ts makes', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(refusalsDoc())
})

test('the page has every id once', () => {
  const ids = [...refusalsDoc().matchAll(/^\| `([A-Z0-9-]+)` \|/gm)].map(([, id]) => id)
  expect(ids.sort()).toEqual(Object.keys(refusals).sort())
})

test('an id that belongs to no group still stands on the page', () => {
  const page = refusalsDoc({ 'X-NEW': { status: 400, section: 'RFC 9112', sentence: 'a reason' } })
  expect(page).toContain('## Others')
  expect(page).toContain('| `X-NEW` | 400 | a reason | [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112) |')
})

test(timeoutTest, async () => {
  const server = await startServer({ limits: { headTimeout: 50 } })
  onTestFinished(() => server[Symbol.asyncDispose]())
  await using client = await RawClient.connect(server.port)
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ')
  expect((await client.response()).status).toBe(408)
  expect(await client.closed).toBe('end')
  const [{ request, outcome }] = (await server.untilEnded(1)) as [(typeof server.ended)[number]]
  expect(request.refused?.id).toBe('H1-HEAD-TIMEOUT')
  expect(outcome.result).toBe('refused')
})

test.each([
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '2.0'],
  ['GET / HTTP/0.9\r\nHost: a\r\n\r\n', '0.9'],
  ['GET / HTTP/1.0\r\nHost: a b\r\n\r\n', '1.0'],
  ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', '1.1'],
  ['GET / ICE/1.0\r\nHost: a\r\n\r\n', '-'],
  ['GET /\r\n', '-'],
])('logs see the version that was read, not the one we speak: %j', async (bytes, version) => {
  const server = await startServer({})
  onTestFinished(() => server[Symbol.asyncDispose]())
  await using client = await RawClient.connect(server.port)
  client.send(bytes)
  await client.closed
  const [{ request }] = (await server.untilEnded(1)) as [(typeof server.ended)[number]]
  expect(request.version).toBe(version)
})
