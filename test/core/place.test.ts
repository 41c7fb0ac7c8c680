import { definePlugin, Handle, type PluginSite, type Plugins } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { placeText } from '../../core/place.ts'
import { onSite, serve } from '../support/in-memory.ts'
import { run } from './cli/run-cli.ts'
import { installRawhttp, repository, workspace } from './config/workspace.ts'

const here = 'test/core/place.test.ts'
const nothing = () => undefined

const tapsOf = async (plugins: Plugins) => {
  const { server } = await serve({ sites: [{ name: 's', plugins }] })
  return server.generation
    .taps()
    .filter(({ site }) => site === 's')
    .filter(({ plugin }) => plugin !== 'test-watch')
}

/** Two lines of one file, of which the first one is known to be above the other. */
const isAbove = (a: { line: number | null } | null, b: { line: number | null } | null) => a!.line! < b!.line!

describe('the place of a tap', () => {
  test('is where tap was called, also in a function that a plugin calls', async () => {
    const helper = ({ hooks }: PluginSite) => hooks.deliver.tap('a', nothing)
    const [first, second] = await tapsOf([
      onSite('p', site => {
        site.hooks.deliver.tap('b', nothing)
        helper(site)
      }),
    ])
    expect([first!.place, second!.place].map(place => place!.file)).toEqual([
      `${repository}/${here}`,
      `${repository}/${here}`,
    ])
    expect(isAbove(second!.place, first!.place)).toBe(true)
  })

  test('is kept for a function that is tapped again on another site', async () => {
    const { server } = await serve({
      plugins: [onSite('p', ({ hooks }) => hooks.deliver.tap('a', nothing))],
      sites: [
        { name: 'a', hosts: ['a'] },
        { name: 'b', hosts: ['b'] },
      ],
    })
    const places = server.generation.taps().filter(({ hook }) => hook === 'deliver')
    expect(places).toHaveLength(3)
    expect(new Set(places.map(({ place }) => place)).size).toBe(1)
    expect(places[0]!.place).not.toBeNull()
  })
})

test('the place of a plugin is where its factory was called', async () => {
  const plugin = definePlugin({
    name: 'p',
    site: ({ hooks }) => hooks.handle.tap({ name: 'p', stage: Handle.Route }, nothing),
  })
  const [tap] = await tapsOf([plugin()])
  expect(tap!.pluginPlace!.file).toBe(`${repository}/${here}`)
  expect(isAbove(tap!.place, tap!.pluginPlace)).toBe(true)
})

describe('in a project', () => {
  const listed = async (files: Readonly<Record<string, string>>) => {
    const cwd = workspace(files)
    installRawhttp(cwd)
    const { stdout, stderr } = await run(['plugins', '--json'], { cwd })
    expect(stderr).toBe('')
    const { server } = JSON.parse(stdout)
    const { pluginPlace, place } = server.hooks[0].taps[0]
    return [pluginPlace, place].map(each => placeText(each).replace(`${cwd}/`, ''))
  }
  const plugin = (name: string) =>
    `import { definePlugin } from 'rawhttp'\n\nexport const p = definePlugin({\n  name: '${name}',\n  server: ({ hooks }) =>\n    hooks.start.tap('a', () => undefined),\n})\n`

  test.each([
    [
      'the line of the config',
      {
        'rawhttp.config.ts': `import { p } from './p.ts'\n\nexport default {\n  plugins: [\n    p(),\n  ],\n}\n`,
        'p.ts': plugin('p'),
      },
      ['rawhttp.config.ts:5', 'p.ts:6'],
    ],
    [
      'the config alone for one that is not called',
      {
        'rawhttp.config.ts': `import { p } from './p.ts'\nexport default { plugins: [p] }\n`,
        'p.ts': plugin('p'),
      },
      ['rawhttp.config.ts', 'p.ts:6'],
    ],
    [
      'the config alone for one that is named',
      { 'rawhttp.config.json': '{ "plugins": ["./p.ts"] }', 'p.ts': plugin('p') },
      ['rawhttp.config.json', 'p.ts:6'],
    ],
    [
      'the line of the config when a function of the same module stands around the factory',
      {
        'rawhttp.config.ts': `import { wrapped } from './p.ts'\nexport default { plugins: [wrapped()] }\n`,
        'p.ts': `${plugin('p')}export const wrapped = () => p()\n`,
      },
      ['rawhttp.config.ts:2', 'p.ts:6'],
    ],
    [
      'the line of the config when a package has called the factory',
      {
        'rawhttp.config.ts': `import { preset } from 'preset'\nexport default { plugins: preset() }\n`,
        'node_modules/preset/package.json': '{ "type": "module", "exports": "./index.js" }',
        'node_modules/preset/index.js': `import { p } from './p.js'\nexport const preset = () => [p()]\n`,
        'node_modules/preset/p.js': plugin('p'),
      },
      ['rawhttp.config.ts:2', 'node_modules/preset/p.js:6'],
    ],
    [
      'the line that calls, in a config that has the plugin itself',
      { 'rawhttp.config.ts': `${plugin('p')}export default { plugins: [\n  p(),\n] }\n` },
      ['rawhttp.config.ts:9', 'rawhttp.config.ts:6'],
    ],
  ])('it is %s', async (_, files, places) => {
    expect(await listed(files)).toEqual(places)
  })
})

describe('an error of the four kinds names plugin, file and line, and what exists', () => {
  const failure = async (site: string, command = ['check']) => {
    const cwd = workspace({
      'rawhttp.config.ts': `import { p } from './p.ts'\nexport default { plugins: [p()] }\n`,
      'p.ts': `import { definePlugin } from 'rawhttp'\nexport const p = definePlugin({ name: 'p', ${site} })\n`,
    })
    installRawhttp(cwd)
    const { stderr } = await run(command, { cwd })
    return stderr
  }
  const set = 'rawhttp: rawhttp.config.ts: plugins[0]: plugin "p", site() for "default":'

  test.each([
    [
      'a missing hook',
      'site(site) {\n site.hooks.handel.tap("a", () => 1) }',
      `${set} site.hooks has no "handel"; did you mean "handle"? it has handle, error, transform, deliver, done (p.ts:3)\n`,
    ],
    [
      'before',
      'site(site) {\n\n site.hooks.handle.tap({ name: "a", stage: 0, before: "b" }, () => 1) }',
      `${set} hook handle: "before" does not exist here: name a stage, for example Handle.Guard - 10 (p.ts:4)\n`,
    ],
  ])('%s', async (_, site, sentence) => {
    expect(await failure(site)).toBe(sentence)
  })

  test('tapping after the seal, and a promise from a sync tap', async () => {
    const cwd = workspace({
      'rawhttp.config.ts': `import { p } from './p.ts'\nexport default { listen: [{ port: 0 }], plugins: [p()] }\n`,
      'p.ts': `import { definePlugin } from 'rawhttp'
export const p = definePlugin({ name: 'p', site(site) {
  site.server.hooks.start.tap('start', () => {
    try {
      site.hooks.deliver.tap('late', () => undefined)
    } catch (error) {
      console.error(error.message)
    }
  })
  site.server.hooks.start.tap('promise', () => Promise.resolve())
} })
`,
    })
    installRawhttp(cwd)
    const { stderr } = await run(['start'], { cwd })
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      'plugin "p", hook deliver: hooks are sealed; tap in server() or site(), before they end (p.ts:5)',
      'rawhttp: rawhttp.config.ts: plugins[0]: plugin "p", start tap "promise": expected an answer at once, got a promise; an async function needs tapPromise (p.ts:10)',
    ])
  })

  test('one name twice in a list', async () => {
    const cwd = workspace({
      'rawhttp.config.ts': `import { p } from './p.ts'\nexport default { plugins: [\n p(),\n p()] }\n`,
      'p.ts': `import { definePlugin } from 'rawhttp'\nexport const p = definePlugin({ name: 'p' })\n`,
    })
    installRawhttp(cwd)
    expect((await run(['check'], { cwd })).stderr).toBe(
      'rawhttp: rawhttp.config.ts: plugins[1]: expected p once in a list, got it again (rawhttp.config.ts:4) after plugins[0] (rawhttp.config.ts:3); it is not repeatable\n',
    )
  })
})
