import { describe, expect, test } from 'vitest'
import { installRawhttp, workspace } from '../config/workspace.ts'
import { run } from './run-cli.ts'

const marks = `
import { writeFileSync } from 'node:fs'
import { definePlugin, Handle } from 'rawhttp'
export const guard = definePlugin({
  name: 'guard',
  server({ hooks }) {
    hooks.start.tapPromise('open', async () => writeFileSync('started', ''))
    hooks.stop.tapPromise('close', async () => writeFileSync('stopped', ''))
  },
  site(site) {
    site.hooks.handle.tapAsync({ name: 'guard:late', stage: Handle.Guard + 2 }, (_request, callback) => callback())
    site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard - 20 }, () => undefined)
  },
})
export const other = definePlugin({
  name: 'other',
  repeatable: true,
  site: site => site.hooks.handle.tap({ name: 'other', stage: Handle.Guard + 2 }, () => undefined),
})
`

/** A project whose config has these plugins and sites. */
function project(config: string): string {
  const cwd = workspace({
    'marks.ts': marks,
    'rawhttp.config.ts': `import { defineConfig, scope } from 'rawhttp'
import { guard, other } from './marks.ts'
export default defineConfig(${config})
`,
  })
  installRawhttp(cwd)
  return cwd
}

describe('rawhttp plugins', () => {
  const config = `{
  plugins: [
    scope({ path: '/admin/*', methods: ['GET'] }, [guard()]),
    other,
  ],
  sites: [{ name: 'a', hosts: ['a', '*.a'] }],
}`

  test('lists the taps of every hook in their order, with stage, kind, scope and both places', async () => {
    const cwd = project(config)
    const { code, stdout, stderr } = await run(['plugins'], { cwd })
    expect([code, stderr]).toEqual([0, ''])
    const only = 'guard (only /admin/* GET)'
    const file = 'rawhttp.config.ts'
    const rows = stdout.split('\n').map(line => line.trim().split(/ {2,}/))
    expect(rows).toEqual([
      ['stage', 'kind', 'tap', 'plugin', 'configured in', 'tapped in'],
      [''],
      ['server'],
      ['start'],
      ['0', 'async (promise)', 'open', only, `${file}:5`, 'marks.ts:7'],
      ['stop'],
      ['0', 'async (promise)', 'close', only, `${file}:5`, 'marks.ts:8'],
      ['nobody taps connection, protocolError, report, retire, drain'],
      [''],
      ['site -: refused messages, and hosts that no site takes'],
      ['handle'],
      ['Handle.Guard - 20', 'sync', 'guard', only, `${file}:5`, 'marks.ts:12'],
      ['Handle.Guard + 2', 'async (callback)', 'guard:late', only, `${file}:5`, 'marks.ts:11'],
      ['Handle.Guard + 2', 'sync', 'other', 'other', file, 'marks.ts:18'],
      ['nobody taps error, transform, deliver, done'],
      [''],
      ['site a: a, *.a'],
      ['handle'],
      ['Handle.Guard - 20', 'sync', 'guard', only, `${file}:5`, 'marks.ts:12'],
      ['Handle.Guard + 2', 'async (callback)', 'guard:late', only, `${file}:5`, 'marks.ts:11'],
      ['Handle.Guard + 2', 'sync', 'other', 'other', file, 'marks.ts:18'],
      ['nobody taps error, transform, deliver, done'],
      [''],
    ])
  })

  test('aligns its columns, and has no colours where nobody sees them', async () => {
    const { stdout } = await run(['plugins'], { cwd: project(config) })
    const lines = stdout.split('\n').filter(line => / {2}(sync|async)/.test(line))
    const column = stdout.split('\n')[0]!.indexOf('configured in')
    expect(lines.every(line => line.startsWith('rawhttp.config.ts', column))).toBe(true)
    expect(stdout).not.toContain('\x1b')
    expect((await run(['plugins'], { cwd: project(config), env: { FORCE_COLOR: '1' } })).stdout).toContain(
      '\x1b[1mguard\x1b[22m',
    )
  })

  test('runs neither start nor stop', async () => {
    const cwd = project(config)
    const { stdout } = await run(['plugins'], { cwd })
    expect(stdout).toContain('open')
    expect((await run(['check'], { cwd })).code).toBe(0)
    const { readdirSync } = await import('node:fs')
    expect(readdirSync(cwd).sort()).toEqual(['marks.ts', 'node_modules', 'rawhttp.config.ts'])
  })

  test('shows sites that are alike once', async () => {
    const cwd = project(`{
      sites: ['a', 'b', 'c'].map(name => ({ name, hosts: [name], plugins: [name === 'b' ? guard() : other()] })),
    }`)
    const { stdout } = await run(['plugins'], { cwd })
    expect(stdout.split('\n').filter(line => line.startsWith('site'))).toEqual([
      'site -: refused messages, and hosts that no site takes',
      'sites a, c',
      'site b: b',
    ])
  })

  test('gives the same as data with --json', async () => {
    const cwd = project(config)
    const { code, stdout } = await run(['plugins', '--json'], { cwd })
    const { config: file, server, sites } = JSON.parse(stdout)
    expect([code, file]).toEqual([0, `${cwd}/rawhttp.config.ts`])
    expect(server.hooks.map((each: { hook: string }) => each.hook)).toEqual([
      'start',
      'connection',
      'protocolError',
      'report',
      'retire',
      'drain',
      'stop',
    ])
    expect(sites.map(({ name, hosts }: { name: string; hosts: string[] }) => [name, hosts])).toEqual([
      ['-', []],
      ['a', ['a', '*.a']],
    ])
    expect(sites[1].hooks[0]).toMatchObject({
      hook: 'handle',
      taps: [{ tap: 'guard' }, { tap: 'guard:late' }, {}],
    })
    expect(sites[1].hooks[0].taps[0]).toEqual({
      plugin: 'guard',
      tap: 'guard',
      stage: -320,
      stageName: 'Handle.Guard - 20',
      kind: 'sync',
      scopes: [{ path: '/admin/*', methods: ['GET'] }],
      pluginPlace: { file: `${cwd}/rawhttp.config.ts`, line: 5 },
      place: { file: `${cwd}/marks.ts`, line: 12 },
    })
  })

  test('ends with 78 for a mistake in the config, and for a set-up that fails', async () => {
    const { code, stderr } = await run(['plugins'], { cwd: project('{ plugins: [guard, guard] }') })
    expect(code).toBe(78)
    expect(stderr).toContain('expected guard once in a list')
    const failing = await run(['plugins'], {
      cwd: workspace({
        'rawhttp.config.json': '{"plugins":["./broken.mjs"]}',
        'broken.mjs': 'export default () => { throw new Error("no") }',
      }),
    })
    expect(failing.code).toBe(78)
  })
})

describe('rawhttp check', () => {
  const sentence =
    'rawhttp: warning: handle: guard (rawhttp.config.ts:3) and other (rawhttp.config.ts:3) stand at Handle.Guard + 2: they run in the order of the config\n'

  test('warns of two plugins at one stage, once for all sites', async () => {
    const cwd = project(
      `{ plugins: [guard(), other()], sites: [{ name: 'a', hosts: ['a'] }, { name: 'b', hosts: ['b'] }] }`,
    )
    expect(await run(['check'], { cwd })).toMatchObject({ code: 0, stderr: sentence })
  })

  test('names them in the order in which they run', async () => {
    const { stderr } = await run(['check'], { cwd: project('{ plugins: [other(), guard()] }') })
    expect(stderr).toContain('handle: other (rawhttp.config.ts:3) and guard (rawhttp.config.ts:3) stand at')
  })

  test.each([
    [
      'plugins that meet on no site',
      "{ plugins: [other(), guard()], sites: [{ name: 'a', without: ['guard'] }] }",
    ],
    ['two instances of one plugin', '{ plugins: [other(), other()] }'],
    [
      'plugins of two sites',
      `{ sites: [{ name: 'a', hosts: ['a'], plugins: [guard()] }, { name: 'b', plugins: [other()] }] }`,
    ],
  ])('says nothing of %s', async (_, config) => {
    expect(await run(['check'], { cwd: project(config) })).toMatchObject({ code: 0, stderr: '' })
  })
})
