import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { HttpResponse } from 'rawhttp'
import { compression } from 'rawhttp/plugins/compression'
import { expect, test } from 'vitest'
import { answering, startServer } from '../../support/server.ts'
import { needTool } from '../../support/tools.ts'
import { text } from './answers.ts'

const run = promisify(execFile)

/** What is large enough to be a stream. */
const long = text.repeat(400)

test.each(['gzip', 'br', 'zstd'])('curl decodes %s, of a body in memory and of a stream', async coding => {
  const curl = needTool('curl', 'curl')
  const { stdout: version } = await run(curl, ['--version'])
  const feature = { gzip: 'libz', br: 'brotli', zstd: 'zstd' }[coding]!
  if (!version.includes(` ${feature}`)) needTool(`curl with ${feature}`, 'curl')
  await using server = await startServer({
    plugins: [answering(({ path }) => HttpResponse.text(path === '/long' ? long : text)), compression()],
  })
  for (const [path, expected] of [
    ['/', text],
    ['/long', long],
  ]) {
    const options = ['--silent', '--show-error', '--max-time', '20', '--compressed', '--include']
    const accept = ['--header', `Accept-Encoding: ${coding}`]
    const { stdout } = await run(curl, [...options, ...accept, `${server.url}${path}`], {
      maxBuffer: 2 ** 24,
    })
    const [head = '', body] = stdout.split('\r\n\r\n')
    expect(head).toContain(`content-encoding: ${coding}`)
    expect(body === expected).toBe(true)
  }
})

test('what curl asks for by itself is answered with a coding', async () => {
  const curl = needTool('curl', 'curl')
  await using server = await startServer({
    plugins: [answering(() => HttpResponse.text(text)), compression()],
  })
  const options = ['--silent', '--show-error', '--max-time', '20', '--compressed', '--include']
  const { stdout } = await run(curl, [...options, server.url])
  const [head = '', body] = stdout.split('\r\n\r\n')
  expect(head).toMatch(/content-encoding: (?:zstd|br|gzip)/)
  expect(body).toBe(text)
})
