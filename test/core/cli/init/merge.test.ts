import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeIgnore, mergeManifest } from '../../../../core/cli/init/merge.ts'

const wanted = {
  name: 'ours',
  exports: { '.': './dist/index.js' },
  scripts: { start: 'ours', test: 'vitest run' },
  dependencies: { rawhttp: '^1.0.0' },
  devDependencies: { vitest: '^5.0.0' },
}
const parts = ['scripts', 'dependencies', 'devDependencies']

describe('a package.json', () => {
  it('gets what it lacks at the end, and keeps its own, its order and its indentation', () => {
    const present = '{\n\t"scripts": {\n\t\t"test": "own",\n\t\t"b": "b"\n\t},\n\t"name": "own"\n}\n'
    const { text, added, kept } = mergeManifest(present, wanted, parts)
    expect(text).toBe(
      '{\n\t"scripts": {\n\t\t"test": "own",\n\t\t"b": "b",\n\t\t"start": "ours"\n\t},\n\t"name": "own",\n' +
        '\t"dependencies": {\n\t\t"rawhttp": "^1.0.0"\n\t},\n\t"devDependencies": {\n\t\t"vitest": "^5.0.0"\n\t}\n}\n',
    )
    expect(added).toEqual(['scripts.start', 'dependencies.rawhttp', 'devDependencies.vitest'])
    expect(kept).toEqual(['scripts.test'])
  })

  it('gets parts that are no lists of entries whole or not at all', () => {
    const present = JSON.stringify({ exports: './index.js' })
    const { text, added, kept } = mergeManifest(present, wanted, ['name', 'exports'])
    expect(JSON.parse(text)).toEqual({ exports: './index.js', name: 'ours' })
    expect([added, kept]).toEqual([['name'], ['exports']])
  })

  it('that lacks nothing stays as it is, byte for byte', () => {
    const present = `${JSON.stringify(wanted)}   \n\n`
    expect(mergeManifest(present, wanted, Object.keys(wanted))).toEqual({
      text: present,
      added: [],
      kept: [],
    })
  })

  it('gets no package that it installs already, in whatever part', () => {
    const own = { ...wanted, dependencies: { vitest: '^4.0.0' }, devDependencies: { rawhttp: '^1.0.0' } }
    const { added, kept } = mergeManifest(JSON.stringify(own), wanted, parts)
    expect([added, kept]).toEqual([[], ['dependencies.rawhttp', 'devDependencies.vitest']])
  })

  it.each([
    ['with the line ends of Windows', '{\r\n  "name": "own"\r\n}\r\n', /^\{(\r\n|[^\r\n])*\}\r\n$/],
    ['without a line end', '{ "name": "own" }', /\}$/],
    ['with a byte order mark', '\ufeff{\n  "name": "own"\n}\n', /\n\}\n$/],
  ])('%s stays so', (_, present, pattern) => {
    const { text } = mergeManifest(present, wanted, parts)
    expect(text).toMatch(pattern)
    expect(text.startsWith('\ufeff')).toBe(present.startsWith('\ufeff'))
    expect(JSON.parse(text.replace('\ufeff', ''))).toMatchObject({ name: 'own', scripts: wanted.scripts })
  })

  it.each([
    ['"vite"', "'vite'"],
    ['["vite"]', 'a list of 1'],
  ])('whose scripts are %s is refused', (scripts, got) => {
    const merge = () => mergeManifest(`{"scripts":${scripts}}`, wanted, parts)
    expect(merge).toThrow(`package.json: scripts: expected an object, got ${got}`)
  })

  it('never loses or changes what it has, and takes nothing a second time', () => {
    const entries = fc.dictionary(fc.stringMatching(/^[a-z@/_-]{1,9}$/), fc.string())
    const manifest = fc.record(
      { name: fc.string(), scripts: entries, dependencies: entries, other: fc.jsonValue() },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(manifest, own => {
        const { text } = mergeManifest(JSON.stringify(own), wanted, parts)
        const merged = JSON.parse(text)
        expect(Object.keys(merged).slice(0, Object.keys(own).length)).toEqual(Object.keys(own))
        for (const part of ['scripts', 'dependencies'] as const)
          expect(Object.entries(merged[part]).slice(0, Object.keys(own[part] ?? {}).length)).toEqual(
            Object.entries(own[part] ?? {}),
          )
        expect(mergeManifest(text, wanted, parts)).toMatchObject({ text, added: [] })
      }),
    )
  })
})

describe('a .gitignore', () => {
  it.each([
    ['', 'node_modules/\ndist/\n', ['node_modules/', 'dist/']],
    ['*.log', '*.log\nnode_modules/\ndist/\n', ['node_modules/', 'dist/']],
    ['/node_modules\r\n', '/node_modules\r\ndist/\r\n', ['dist/']],
    ['dist\nnode_modules/\n', 'dist\nnode_modules/\n', []],
  ])('%j gets the lines that it lacks', (present, text, added) => {
    expect(mergeIgnore(present, 'node_modules/\ndist/\n')).toEqual({ text, added, kept: [] })
  })
})
