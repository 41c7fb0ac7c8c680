import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { type Answer, ask, expectAnswer, revalidationOf } from './check.ts'

const body = Buffer.from('a page')
const answer = (changes: Partial<Answer> = {}): Answer => ({ status: 200, headers: {}, body, ...changes })
const gzipped = answer({ headers: { 'content-encoding': 'gzip' }, body: gzipSync(body) })

test('the expected bytes are accepted, plain or in the coding that was asked for', () => {
  expectAnswer('nginx', answer(), { status: 200, body })
  expectAnswer('nginx', gzipped, { status: 200, body, coding: 'gzip' })
})

test.each([
  ['another status', answer({ status: 404 }), undefined, 'expected status 200, not 404'],
  ['no coding', answer(), 'gzip', 'expected content-encoding gzip, not none'],
  ['a coding that nobody asked for', gzipped, undefined, 'expected content-encoding none, not gzip'],
  ['fewer bytes', answer({ body: Buffer.from('a') }), undefined, 'expected a body of 6 bytes'],
  ['other bytes', answer({ body: Buffer.from('A PAGE') }), undefined, 'expected a body of 6 bytes'],
] as const)('%s ends the run', (_name, came, coding, sentence) => {
  expect(() => expectAnswer('nginx', came, { status: 200, body, coding })).toThrow(`nginx: ${sentence}`)
})

test('a server is asked again by its tag, else by its date', () => {
  const headers = { etag: '"a"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }
  expect(revalidationOf('nginx', answer({ headers }))).toBe('if-none-match: "a"')
  const dated = answer({ headers: { 'last-modified': headers['last-modified'] } })
  expect(revalidationOf('nginx', dated)).toBe('if-modified-since: Thu, 01 Jan 2026 00:00:00 GMT')
  expect(() => revalidationOf('nginx', answer())).toThrow('nginx: its answer has no ETag')
})

test('a question carries its field lines and its body', async () => {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    response.end(`${request.method} ${request.headers['if-modified-since']} ${Buffer.concat(chunks)}`)
  })
  onTestFinished(() => void server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const headers = ['if-modified-since: Thu, 01 Jan 2026 00:00:00 GMT']
  const { body } = await ask(url, { headers, upload: Buffer.from('{}') })
  expect(body.toString()).toBe('POST Thu, 01 Jan 2026 00:00:00 GMT {}')
})
