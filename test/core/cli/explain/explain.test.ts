import { readFileSync } from 'node:fs'
import type { RequestTrace } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { installRawhttp, workspace } from '../../config/workspace.ts'
import { run } from '../run-cli.ts'

const config = `
import { existsSync, writeFileSync } from 'node:fs'
import { defineConfig, definePlugin } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { staticFiles } from 'rawhttp/plugins/static'

const life = definePlugin({
  name: 'life',
  server({ hooks }) {
    hooks.start.tap('start', () => writeFileSync('started', ''))
    hooks.stop.tap('stop', () => writeFileSync('stopped', String(existsSync('started'))))
  },
})
export default defineConfig({
  plugins: [accessLog(), life(), cache(), staticFiles({ root: './public' })],
})
`

function project(): string {
  const cwd = workspace({ 'rawhttp.config.ts': config, 'public/file.txt': 'a file' })
  installRawhttp(cwd)
  return cwd
}

describe('rawhttp explain', () => {
  test('tells what became of a request, and runs start and stop', async () => {
    const cwd = project()
    const { code, stdout, stderr } = await run(['explain', 'GET', '/file.txt', '-H', 'accept: */*'], { cwd })
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^GET \/file\.txt HTTP\/1\.1\n {2}host: +localhost\n {2}accept: +\*\/\*\n\nsite default /,
    )
    expect(stdout).toMatch(/\n└─ static +Handle\.Static +\d+\.\d\d ms +answered 200\n/)
    expect(stdout).toMatch(/\nanswer 200 {2}by static \(rawhttp\.config\.ts:16\)\n/)
    expect(stdout).toMatch(/\n {2}content-length: +6 +the kernel: the length of the body \(RFC 9110 8\.6\)\n/)
    expect(readFileSync(`${cwd}/stopped`, 'utf8')).toBe('true')
    // What plugins print stands elsewhere.
    expect(stdout).not.toContain('127.0.0.1')
    expect(stderr).toMatch(/"GET \/file\.txt HTTP\/1\.1" 200 6/)
  })

  test('sees a warm cache with --times, and gives data with --json', async () => {
    const { code, stdout } = await run(['explain', 'GET', '/file.txt', '--times', '2', '--json'], {
      cwd: project(),
    })
    expect(code).toBe(0)
    const { steps, request } = JSON.parse(stdout) as RequestTrace
    expect(request.cacheStatus).toBe('hit')
    expect(steps).toContainEqual(
      expect.objectContaining({ tap: 'cache', hook: 'handle', result: 'answered' }),
    )
    expect(steps).toContainEqual(
      expect.objectContaining({ tap: 'static', result: 'not-asked', note: 'cache answered before' }),
    )
  })

  test('says which taps of connection it goes past', async () => {
    const cwd = workspace({
      'rawhttp.config.ts': `
import { ipFilter } from 'rawhttp/plugins/ip-filter'
export default { plugins: [ipFilter({ deny: ['127.0.0.1'], connections: true })] }`,
    })
    installRawhttp(cwd)
    const { stdout } = await run(['explain', 'GET', '/'], { cwd })
    expect(stdout).toMatch(
      /\nconnection\n└─ ip-filter +Connect\.Filter +not asked: explain has no socket, and begins behind them all\nhandle\n/,
    )
  })

  test.each([
    ['process.exit(0)', 'the process has ended before the request, with exit code 0'],
    ['process.exit(1)', 'the process has ended before the request, with exit code 1'],
    ["process.kill(process.pid, 'SIGKILL')", 'the process that ran the request was ended by SIGKILL'],
  ])('says that a plugin has ended it all: %s', async (end, sentence) => {
    const cwd = workspace({
      'rawhttp.config.ts': `import { definePlugin, Handle } from 'rawhttp'
const p = definePlugin({ name: 'p', site: ({ hooks }) => hooks.handle.tap({ name: 'p', stage: Handle.Route }, () => ${end}) })
export default { plugins: [p()] }`,
    })
    installRawhttp(cwd)
    expect(await run(['explain', 'GET', '/'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr: `rawhttp: ${sentence}\n`,
    })
  })

  test('takes a folder behind the URL', async () => {
    const cwd = workspace({ 'site/index.html': 'hello' })
    const { stdout } = await run(['explain', 'GET', '/', 'site', '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ answer: { status: 200, source: { plugin: 'static' } } })
  })

  test('ends with 2 for a mistake on the command line', async () => {
    expect(await run(['explain', 'GET', 'x'], { cwd: workspace() })).toEqual({
      code: 2,
      stdout: '',
      stderr: "rawhttp: expected a path such as /about or a URL of http or https, got 'x'\n",
    })
  })

  test('ends with 78 for one in the config, and with 1 when start fails', async () => {
    const mistaken = await run(['explain', 'GET', '/'], {
      cwd: workspace({ 'rawhttp.config.json': '{ "listn": [] }' }),
    })
    expect(mistaken).toMatchObject({
      code: 78,
      stdout: '',
      stderr: expect.stringContaining('listn: unknown option'),
    })
    const cwd = workspace({
      'rawhttp.config.ts': `import { definePlugin } from 'rawhttp'
const p = definePlugin({ name: 'p', server: ({ hooks }) => hooks.start.tap('a', () => { throw new Error('no disk') }) })
export default { plugins: [p()] }`,
    })
    installRawhttp(cwd)
    expect(await run(['explain', 'GET', '/'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'rawhttp: rawhttp.config.ts: plugins[0]: plugin "p", start tap "a": no disk\n',
    })
  })
})
