import { HttpResponse, type InjectOptions } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { lint } from 'rawhttp/plugins/lint'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { afterAll, describe, expect, test } from 'vitest'
import welcome from '../../../sites/welcome/index.ts'
import { launch, ready, run } from '../../core/cli/run-cli.ts'
import { installRawhttp, workspace } from '../../core/config/workspace.ts'
import { makeParts, subjects } from '../../core/testing/subjects.ts'
import { serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

const parts = await makeParts()
afterAll(() => parts[Symbol.asyncDispose]())

const gzip = { 'accept-encoding': 'br, gzip' }
const asked: readonly InjectOptions[] = [
  { headers: gzip },
  { headers: { ...gzip, accept: 'application/json', origin: 'https://one.example' } },
  { url: 'https://localhost/' },
  { method: 'HEAD' },
  { method: 'OPTIONS', url: '*' },
  { method: 'POST', body: 'x' },
  { method: 'BREW' },
  { url: '/lost', headers: { accept: 'text/html' } },
  { url: '/lost', headers: { accept: 'application/json' } },
  { url: '/lost' },
  { url: '/%' },
  { headers: { 'if-none-match': '*' } },
  { headers: { range: 'bytes=0-9' } },
  { headers: { range: 'bytes=999999-' } },
  { headers: { 'if-match': '"made-up"' } },
]

/** What is found in the answers to requests, all of them asked twice. */
async function findings(config: Parameters<typeof serve>[0], requests: readonly InjectOptions[]) {
  const { ask, reports } = await serve(config)
  for (const options of [...requests, ...requests]) await ask(options)
  return reports.filter(({ code }) => code.startsWith('LINT_')).map(({ message }) => message)
}

describe('nothing is found', () => {
  const page = answering(
    ({ path }) => (path === '/' ? HttpResponse.html('<p>x</p>') : undefined),
    'test-page',
  )

  // How it is reached over TLS, or from Redis, makes no other answers.
  const names = Object.keys(subjects(parts)).filter(name => !/redis|^tls$|^lint$/.test(name))
  test.each(names)('in the answers of %s', async name => {
    const { plugin, beside = [], requests = [], headers = {} } = subjects(parts)[name]!
    const own = requests.map(each => (typeof each === 'string' ? { url: each } : each))
    const all = [...asked, ...own].map(each => ({ ...each, headers: { ...headers, ...each.headers } }))
    const plugins = [lint(), await (typeof plugin === 'function' ? plugin() : plugin), ...beside, page]
    expect(await findings(plugins as never, all)).toEqual([])
  })

  test('in those of the welcome site', async () => {
    const urls = ['/script.js', '/style.css', '/favicon.svg', '/api/hello/Ada', '/api/fail', '/api/lost']
    const requests = [...asked, ...urls.flatMap(url => [{ url }, { url, headers: gzip }])]
    for (const more of [[], [securityHeaders()]]) {
      const plugins = [lint(), compression(), cache(), errorPages(), ...more]
      expect(await findings({ plugins, sites: [welcome] }, requests)).toEqual([])
    }
  })

  test('in those of a site that `rawhttp init` wrote', async () => {
    const cwd = workspace()
    installRawhttp(cwd)
    await run(['init'], { cwd })
    const running = launch(['start', '--mode', 'development', '--port', '0'], { cwd })
    const url = await ready(running)
    for (const path of ['/', '/', '/style.css', '/icon.svg', '/api/hello/Ada', '/lost', '/api/lost'])
      for (const accept of ['text/html', 'application/json'])
        await (await fetch(url + path, { headers: { accept } })).text()
    running.child.kill('SIGTERM')
    const { code, stdout, stderr } = await running.finished
    expect([code, stdout.split('\n').length]).toEqual([0, 15])
    expect(stderr).not.toContain('LINT_')
  })

  test('in those that the kernel makes', async () => {
    expect(await findings([lint()], asked)).toEqual([])
  })
})
