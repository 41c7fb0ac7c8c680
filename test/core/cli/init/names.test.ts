import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { pluginManifest } from '../../../../core/cli/init/manifest.ts'
import { packageName, pluginNames } from '../../../../core/cli/init/names.ts'
import { pluginScaffold } from '../../../../core/cli/init/plugin.ts'
import { repository } from '../../config/workspace.ts'

describe('the name of a package', () => {
  it.each([
    ['blog', 'blog'],
    ['My Blog', 'my-blog'],
    ['Über uns', 'uber-uns'],
    ['.config', 'config'],
    ['a_b~c.d', 'a_b~c.d'],
    ['網站', 'site'],
    ['node_modules', 'node_modules-site'],
    ['http', 'http-site'],
    ['rawhttp', 'rawhttp-site'],
    ['', 'site'],
    ['a'.repeat(255), 'a'.repeat(209)],
    [`${'a'.repeat(208)}-b`, 'a'.repeat(208)],
  ])('of the folder %j is %j', (folder, name) => {
    expect(packageName(folder)).toBe(name)
  })

  it('is one that npm takes, whatever the folder is called, and stays what it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), folder => {
        const name = packageName(folder)
        expect(name).toMatch(/^[a-z0-9][a-z0-9._~-]{0,213}$/)
        expect(packageName(name)).toBe(name)
      }),
    )
  })
})

describe('the names of a plugin', () => {
  it.each([
    ['stamp', 'stamp', 'StampOptions'],
    ['rate-meter', 'rateMeter', 'RateMeterOptions'],
    ['h2--x-', 'h2X', 'H2XOptions'],
    ['a-1', 'a1', 'A1Options'],
    ['delete', 'deletePlugin', 'DeleteOptions'],
    ['define-plugin', 'definePluginPlugin', 'DefinePluginOptions'],
  ])('%s are %s and %s', (plugin, factory, options) => {
    expect(pluginNames(plugin)).toEqual({ plugin, package: `rawhttp-plugin-${plugin}`, factory, options })
  })

  it.each([
    ['Stamp', 'at most 199 small letters, digits and dashes that begin with a letter'],
    ['2fast', 'at most 199 small letters, digits and dashes that begin with a letter'],
    ['@me/stamp', 'at most 199 small letters, digits and dashes that begin with a letter'],
    ['../stamp', 'at most 199 small letters, digits and dashes that begin with a letter'],
    ['a'.repeat(200), 'at most 199 small letters, digits and dashes that begin with a letter'],
    ['rawhttp-plugin-stamp', "the name without 'rawhttp-plugin-', which is put in front of it"],
  ])('are not made of %s', (name, expected) => {
    expect(() => pluginNames(name)).toThrow(`--plugin: expected ${expected}, got '`)
  })

  it('are none that rawhttp has itself: a list takes each name once', () => {
    expect(() => pluginNames('static')).toThrow("--plugin: rawhttp has a plugin 'static'")
  })

  // As the sources are: what they import and declare themselves, and the words of the language.
  it.each(
    [
      ...`arguments await break case catch class const debugger default delete do else enum eval export extends false
      finally for function if implements import in instanceof interface let new null package private protected public
      return static- super switch this throw true try typeof undefined var void while with yield test expect
      describe contract test-server define-plugin handle http-response settings-of options answer plugin path text`.split(
        /\s+/,
      ),
    ].map(name => [name]),
  )('%s stand in sources that parse', name => {
    const names = pluginNames(name)
    for (const { path, text } of pluginScaffold(names, pluginManifest(names)).files) {
      if (!path.endsWith('.ts')) continue
      const { errors } = parseSync(path, text, { showSemanticErrors: true })
      expect(errors.map(({ message }) => message)).toEqual([])
    }
  })
})

it('a scaffold has the tools of this package, and this package, in the versions of its own package.json', () => {
  const own = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const { peerDependencies, devDependencies, engines } = pluginManifest(pluginNames('stamp'))
  expect(engines).toEqual(own.engines)
  expect(peerDependencies).toEqual({ rawhttp: `^${own.version}` })
  expect(devDependencies).toEqual({
    '@types/node': own.devDependencies['@types/node'],
    rawhttp: `^${own.version}`,
    typescript: own.devDependencies.typescript,
    vitest: own.devDependencies.vitest,
  })
})
