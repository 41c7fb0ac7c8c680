import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkFolder, zeroConfig } from '../../../core/cli/zero-config.ts'
import { repository, workspace } from '../config/workspace.ts'

describe('without a config', () => {
  it('the folder of the command line is served', () => {
    const dir = workspace({ 'public/x': '', 'site/x': '' })
    expect(zeroConfig('site', dir).dir).toBe(join(dir, 'site'))
  })

  it('public/ is served where there is one', () => {
    const dir = workspace({ 'public/x': '' })
    expect(zeroConfig(undefined, dir).dir).toBe(join(dir, 'public'))
  })

  it('the current folder is served else, also when public is a file', () => {
    const dir = workspace({ public: '' })
    expect(zeroConfig(undefined, dir).dir).toBe(dir)
  })

  it('it is said what is served and what the same config would be', () => {
    const dir = workspace({ 'public/x': '' })
    const { notices, config } = zeroConfig(undefined, dir)
    expect(notices[0]).toContain(`no config found, serving ${join(dir, 'public')} with `)
    const [, file, json] = /^for a config of your own, write (.+?): (.+)$/.exec(notices[1]!)!
    expect(file).toBe(join(dir, 'rawhttp.config.json'))
    const names = (plugins: readonly unknown[]) => plugins.map(plugin => [plugin].flat()[0])
    expect(names(JSON.parse(json!).plugins)).toEqual(names(config.plugins))
  })

  it.each([
    ['site', /^write (.+?): .*"root":".\/site".*, then start without the folder$/],
    [undefined, /^move the files into public\/ and write (.+?): .*"root":".\/public"/],
  ])('the config would stand beside what is served, not in it: %s', (folder, sentence) => {
    const dir = workspace({ 'site/x': '' })
    const notice = zeroConfig(folder, dir).notices[1]!.replace('for a config of your own, ', '')
    expect(sentence.exec(notice)?.[1]).toBe(join(dir, 'rawhttp.config.json'))
  })

  it('only plugins that exist are used, static with the folder as its root', () => {
    const { plugins } = zeroConfig(undefined, workspace()).config
    const used = plugins.map(plugin => String([plugin].flat()[0]))
    const wanted = ['access-log', 'compression', 'cache', 'static']
    expect(used).toEqual(wanted.filter(name => existsSync(join(repository, `plugins/${name}/index.ts`))))
    expect(plugins).toContainEqual(['static', { root: '.' }])
  })

  it('a folder that does not exist is refused', () => {
    const dir = workspace({ file: '' })
    expect(() => checkFolder('nope', dir)).toThrow("expected a folder, got 'nope', which does not exist")
    expect(() => checkFolder('file', dir)).toThrow("expected a folder, got 'file', which is a file")
  })
})
