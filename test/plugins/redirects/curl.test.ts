import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { launch, ready } from '../../core/cli/run-cli.ts'
import { installRawhttp, workspace } from '../../core/config/workspace.ts'
import { needTool } from '../../support/tools.ts'

const run = promisify(execFile)

// The three that rules are written for, from a config without any code.
const config = {
  plugins: [
    [
      'redirects',
      { rules: { '/old/:page': '/:page.txt', '/gone': { status: 410 } }, trailingSlash: 'remove' },
    ],
    ['rewrites', [{ from: '/files/*', to: '/*', methods: ['GET'] }]],
    [
      'headers',
      [{ status: ['2xx', 404], set: { 'x-robots-tag': 'noindex' }, append: { link: ['</a>', '</b>'] } }],
    ],
    ['static', { root: './public' }],
  ],
}

test('curl is led to the page, by a config in JSON', async () => {
  const curl = needTool('curl', 'curl')
  const dir = workspace({
    'package.json': '{"type":"module"}',
    'rawhttp.config.json': JSON.stringify(config),
    'public/page.txt': 'the page\n',
  })
  installRawhttp(dir)
  const url = await ready(launch(['start', dir, '--port', '0']))
  const get = async (path: string, ...options: string[]) => {
    const args = ['--silent', '--show-error', '--max-time', '20', '--include', '--path-as-is', ...options]
    const { stdout } = await run(curl, [...args, `${url}${path}`])
    return stdout
  }
  const led = await get('/old//page/?x=1', '--location', '--write-out', '%{url_effective} %{num_redirects}')
  expect(led).toContain('HTTP/1.1 308 Permanent Redirect\r\nlocation: /page.txt?x=1\r\n')
  expect(led).toContain('the page\n')
  expect(led.endsWith(`${url}/page.txt?x=1 1`)).toBe(true)
  const rewritten = await get('/files/page.txt')
  expect(rewritten).toContain('x-robots-tag: noindex\r\nlink: </a>\r\nlink: </b>\r\n')
  expect(rewritten).toContain('the page\n')
  expect(await get('/none')).toContain('x-robots-tag: noindex')
  const gone = await get('/gone')
  expect(gone).toContain('HTTP/1.1 410 Gone')
  expect(gone).not.toContain('x-robots-tag')
  const posted = await get(
    '/old/page',
    '--location',
    '--data',
    'a=b',
    '--write-out',
    '%{method} %{num_redirects}',
  )
  expect(posted).toContain('HTTP/1.1 405 Method Not Allowed')
  expect(posted.endsWith('POST 1')).toBe(true)
})
