import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { HttpResponse, Slots } from 'rawhttp'
import { basicAuth, hashPassword } from 'rawhttp/plugins/basic-auth'
import { expect, test } from 'vitest'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { needTool } from '../../support/tools.ts'
import { cheapHash } from './site.ts'

const run = promisify(execFile)

const hello = answering(request => HttpResponse.text(`for ${request.get(Slots.user)}`))

test('curl signs in with --user, and is refused without', async () => {
  const curl = needTool('curl', 'curl')
  await using server = await startServer({
    plugins: [hello, basicAuth({ users: { jürgen: await hashPassword('sésame: öffne dich') } })],
  })
  const ask = async (...options: string[]) => {
    const rest = ['--silent', '--max-time', '30', '--write-out', ' %{http_code}', server.url]
    return (await run(curl, [...options, ...rest])).stdout
  }
  expect(await ask('--user', 'jürgen:sésame: öffne dich')).toBe('for jürgen 200')
  expect(await ask('--anyauth', '--user', 'jürgen:sésame: öffne dich')).toBe('for jürgen 200')
  expect(await ask('--user', 'jürgen:sesame')).toMatch(/ 401$/)
  expect(await ask()).toMatch(/ 401$/)
})

test('requests of one connection are judged one by one, in order, pipelined too', async () => {
  await using server = await startServer({
    plugins: [hello, basicAuth({ users: { ann: await cheapHash('x') } })],
  })
  await using client = await RawClient.connect(server.port)
  const ask = (field: string) => `GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n`
  const good = `Authorization: Basic ${btoa('ann:x')}\r\n`
  client.send(ask(good) + ask('') + ask(good) + ask(good.repeat(2)))
  const statuses = []
  for (let count = 0; count < 4; count++) statuses.push((await client.response()).status)
  expect(statuses).toEqual([200, 401, 200, 400])
})
