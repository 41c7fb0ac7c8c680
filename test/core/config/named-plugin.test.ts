import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { installRawhttp, load, loadError, repository, workspace } from './workspace.ts'

// Plugins by name are imported by Node itself, so each test loads its config in a process of its own.
const definePlugin = JSON.stringify(join(repository, 'core/plugin.ts'))
const hello = `
import { definePlugin } from ${definePlugin}
export const hello = definePlugin({ name: 'hello', options: ({ word = 'hi' } = {}) => ({ word }) })
`
const manifest = '{"type":"module"}'

function json(plugins: readonly unknown[], files: Readonly<Record<string, string>> = {}): string {
  return workspace({ 'package.json': manifest, 'rawhttp.config.json': JSON.stringify({ plugins }), ...files })
}

const resolved = async (dir: string) => (await load(dir, {}, true)).plugins

describe('a plugin given by name', () => {
  it('comes from a file beside the config, its only plugin export taken', async () => {
    const dir = json(['./hello.ts'], { 'hello.ts': `${hello}\nexport const version = 1` })
    expect(await resolved(dir)).toEqual([
      { name: 'hello', settings: { word: 'hi' }, from: join(dir, 'hello.ts') },
    ])
  })

  it('gets the options of its pair', async () => {
    const dir = json([['./hello.ts', { word: 'hey' }]], { 'hello.ts': hello })
    expect((await resolved(dir))?.[0]?.settings).toEqual({ word: 'hey' })
  })

  it('is the default export where there is one', async () => {
    const two = `${hello}\nexport const other = definePlugin({ name: 'other' })\nexport default other`
    expect((await resolved(json(['./two.ts'], { 'two.ts': two })))?.[0]?.name).toBe('other')
  })

  it('comes from a package that has only an import condition', async () => {
    const dir = json(['hello-plugin'], {
      'node_modules/hello-plugin/package.json': '{"type":"module","exports":{"import":"./index.js"}}',
      'node_modules/hello-plugin/index.js': hello,
    })
    const file = join(dir, 'node_modules/hello-plugin/index.js')
    expect(await resolved(dir)).toEqual([{ name: 'hello', settings: { word: 'hi' }, from: file }])
  })

  it('comes from the folder of the config, not from the working directory', async () => {
    const dir = json([], {
      'site/rawhttp.config.json': '{"plugins":["hello-plugin"]}',
      'site/node_modules/hello-plugin/package.json': '{"type":"module","exports":"./index.js"}',
      'site/node_modules/hello-plugin/index.js': hello,
    })
    const { plugins } = await load(dir, { folder: 'site' }, true)
    expect(plugins?.[0]?.name).toBe('hello')
  })

  it('shares the plugin maker with a package that imports rawhttp itself', async () => {
    const dir = json(['./hello.ts'], { 'hello.ts': hello.replace(definePlugin, "'rawhttp'") })
    installRawhttp(dir)
    expect((await resolved(dir))?.[0]?.name).toBe('hello')
  })
})

describe('a plugin name that does not lead to a plugin', () => {
  const error = (dir: string) => loadError(dir, {}, true)

  it('says what rawhttp has and where it looked', async () => {
    const dir = json(['nowhere'])
    expect(await error(dir)).toMatch(
      `ConfigError: rawhttp.config.json: plugins[0] (nowhere): expected a plugin of rawhttp, or a package that is installed for ${dir}, got 'nowhere'; `,
    )
  })

  it('names a missing file', async () => {
    const dir = json([['./gone.ts', {}]])
    expect(await error(dir)).toBe(
      `ConfigError: rawhttp.config.json: plugins[0] (./gone.ts): expected the file of a plugin, got no file ${join(dir, 'gone.ts')}`,
    )
  })

  it('lists the plugins when there are several', async () => {
    const two = `${hello}\nexport const other = definePlugin({ name: 'other' })`
    const dir = json(['./two.ts'], { 'two.ts': two })
    expect(await error(dir)).toContain(
      `expected a plugin as the default or only plugin export of ${join(dir, 'two.ts')}, got the plugins hello, other`,
    )
  })

  it('lists the exports when none is a plugin', async () => {
    const dir = json(['./none.ts'], { 'none.ts': 'export const a = 1, b = 2' })
    expect(await error(dir)).toContain('got the exports a, b')
  })

  it('shows a default export that is no function', async () => {
    const dir = json(['./none.ts'], { 'none.ts': 'export default { apply() {} }' })
    expect(await error(dir)).toContain("got the default export an object with the key 'apply'")
  })

  it('names file and line of a plugin that cannot be imported', async () => {
    const dir = json(['./broken.ts'], { 'broken.ts': '\n\nthrow new Error("no luck")' })
    expect(await error(dir)).toBe(
      'ConfigError: rawhttp.config.json: plugins[0] (./broken.ts): broken.ts, line 3: no luck',
    )
  })

  it('tells a package with a broken import from a package that is missing', async () => {
    const dir = json(['hello-plugin'], {
      'node_modules/hello-plugin/package.json': '{"type":"module","exports":"./index.js"}',
      'node_modules/hello-plugin/index.js': "import 'not-there'",
    })
    expect(await error(dir)).toContain("plugins[0] (hello-plugin): Cannot find package 'not-there'")
  })
})
