import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { HttpResponse, Slots } from 'rawhttp'
import { bearerAuth, hashToken } from 'rawhttp/plugins/bearer-auth'
import { expect, test } from 'vitest'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'
import { needTool } from '../../support/tools.ts'

const run = promisify(execFile)
const TOKEN = '0123456789-abcdefghij'

const start = () =>
  startServer({
    plugins: [
      answering(request => HttpResponse.text(`for ${request.get(Slots.user)}`)),
      bearerAuth({ tokens: { deploy: hashToken(TOKEN) } }),
    ],
  })

test('curl is let in with --oauth2-bearer, and refused without', async () => {
  const curl = needTool('curl', 'curl')
  await using server = await start()
  const ask = async (...options: string[]) => {
    const rest = ['--silent', '--max-time', '30', '--write-out', ' %{http_code}', server.url]
    return (await run(curl, [...options, ...rest])).stdout
  }
  expect(await ask('--oauth2-bearer', TOKEN)).toBe('for deploy 200')
  expect(await ask('--oauth2-bearer', 'other')).toMatch(/ 401$/)
  expect(await ask()).toMatch(/ 401$/)
})

test('requests of one connection are judged one by one, in order, pipelined too', async () => {
  await using server = await start()
  await using client = await RawClient.connect(server.port)
  const ask = (field: string) => `GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n`
  const good = `Authorization: Bearer ${TOKEN}\r\n`
  client.send(ask(good) + ask('') + ask(good) + ask(good.repeat(2)))
  const statuses = []
  for (let count = 0; count < 4; count++) statuses.push((await client.response()).status)
  expect(statuses).toEqual([200, 401, 200, 400])
})
