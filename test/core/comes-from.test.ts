import { AddressList, comesFrom, HttpResponse } from 'rawhttp'
import { expect, test } from 'vitest'
import { get } from '../support/messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'

const neighbours = new AddressList(['loopback'])
const tells = answering(request => HttpResponse.json(comesFrom(request, neighbours)))

/** What is thought of a client on this machine that sends these fields, with or without trust in proxies here. */
async function thought(fields: readonly string[], trusted: boolean): Promise<unknown> {
  await using served = await startServer({
    ...(trusted ? { trustedProxies: ['loopback'] } : {}),
    plugins: [tells],
  })
  await using client = await RawClient.connect(served.port)
  client.send(get('/', ...fields))
  return JSON.parse((await client.response()).body.toString())
}

test('a client of this machine is one', async () => {
  expect(await thought([], false)).toBe(true)
  expect(await thought([], true)).toBe(true)
})

test.each([
  'X-Forwarded-For: 127.0.0.1',
  'Forwarded: for=127.0.0.1',
  'Via: 1.1 proxy',
  'X-Real-IP: 127.0.0.1',
])('who is behind a proxy that nobody trusts is not: %s', async field => {
  expect(await thought([field], false)).toBe(false)
})

test('who is behind a trusted proxy is judged by what that tells', async () => {
  expect(await thought(['X-Forwarded-For: 192.0.2.7'], true)).toBe(false)
  expect(await thought(['X-Forwarded-For: 127.0.0.9'], true)).toBe(true)
})
