import { execFile } from 'node:child_process'
import { chmodSync, globSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { repository, workspace } from '../config/workspace.ts'
import { launchProgram, rawhttp, run } from './run-cli.ts'

const site = [
  '.gitignore',
  'package.json',
  'rawhttp.config.ts',
  'site/api/hello.ts',
  'site/error.html',
  'site/index.ts',
  'site/public/icon.svg',
  'site/public/index.html',
  'site/public/style.css',
  'test/site.test.ts',
  'tsconfig.json',
]

/** The files of a folder with their texts, hidden ones too. */
const filesOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    globSync('**/{*,.*}', { cwd: dir })
      .filter(path => lstatSync(join(dir, path)).isFile())
      .sort()
      .map(path => [path, readFileSync(join(dir, path), 'utf8')]),
  )

describe('rawhttp init', () => {
  it('writes a site to the current folder, and nothing else', async () => {
    const cwd = workspace()
    const { code, stdout, stderr } = await run(['init'], { cwd })
    expect([code, stderr]).toEqual([0, ''])
    expect(Object.keys(filesOf(cwd))).toEqual(site)
    expect(stdout).toMatch(/^Wrote a site to this folder:\n {2}package\.json\n/)
    expect(stdout).toMatch(/\nNext:\n {2}npm install\n {2}npm run dev +# serves it/)
    expect(JSON.parse(filesOf(cwd)['package.json']!).name).toBe(basename(cwd).toLowerCase())
  })

  it('writes to a folder that it makes, and says how to get there', async () => {
    const cwd = workspace()
    const { stdout } = await run(['init', "a/it's here"], { cwd })
    expect(stdout).toContain(`\nNext:\n  cd './a/it'\\''s here'\n  npm install\n`)
    expect(JSON.parse(filesOf(cwd)["a/it's here/package.json"]!).name).toBe('it-s-here')
  })

  it('--plugin writes the package of a plugin to a folder of its name', async () => {
    const cwd = workspace()
    const { code, stdout } = await run(['init', '--plugin', 'stamp'], { cwd })
    expect([code, stdout]).toEqual([
      0,
      `Wrote a plugin to rawhttp-plugin-stamp:
  package.json
  .gitignore
  README.md
  tsconfig.json
  tsconfig.build.json
  src/index.ts
  src/options.ts
  test/index.test.ts

Next:
  cd rawhttp-plugin-stamp
  npm install
  npm test       # the sources, in a server without a port
  npm run check  # types
  npm run build  # dist/, which is what npm publish sends
`,
    ])
    const manifest = JSON.parse(filesOf(cwd)['rawhttp-plugin-stamp/package.json']!)
    expect(manifest).toMatchObject({ name: 'rawhttp-plugin-stamp', type: 'module' })
    expect(manifest.keywords).toContain('rawhttp-plugin')
  })

  it('writes what this repository would take: formatted, without a finding', async () => {
    const cwd = workspace()
    await run(['init', 'site'], { cwd })
    await run(['init', '--plugin', 'stamp'], { cwd })
    const biome = join(repository, 'node_modules/.bin/biome')
    await promisify(execFile)(biome, ['check', `--config-path=${repository}`, '--vcs-enabled=false', cwd])
  })

  it('run again changes nothing', async () => {
    const cwd = workspace()
    await run(['init'], { cwd })
    const before = filesOf(cwd)
    const { code, stdout } = await run(['init'], { cwd })
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'this folder has all of a site already.'])
    expect(filesOf(cwd)).toEqual(before)
  })

  it('reaches a folder through a link that was named', async () => {
    const cwd = workspace({ 'real/keep.txt': '' })
    symlinkSync('real', join(cwd, 'link'))
    expect((await run(['init', 'link'], { cwd })).stdout).toMatch(/^Wrote a site to real:\n/)
    expect(Object.keys(filesOf(join(cwd, 'real')))).toEqual([...site, 'keep.txt'].sort())
  })
})

describe('a folder that has something already', () => {
  it('is left alone: all that is in the way is told in one sentence', async () => {
    const cwd = workspace({ 'tsconfig.json': '{}', 'site/index.ts': 'mine', 'other.txt': 'mine' })
    const before = filesOf(cwd)
    const stderr = `rawhttp: nothing was written to ${cwd}: it has tsconfig.json, site/index.ts already; --force overwrites what is there\n`
    expect(await run(['init'], { cwd })).toEqual({ code: 1, stdout: '', stderr })
    expect(filesOf(cwd)).toEqual(before)
  })

  it('is left alone for a single file', async () => {
    const cwd = workspace({ 'README.md': 'mine' })
    const { code, stderr } = await run(['init', '.', '--plugin', 'stamp'], { cwd })
    expect([code, stderr]).toEqual([1, expect.stringContaining(': it has README.md already; --force ')])
    expect(filesOf(cwd)).toEqual({ 'README.md': 'mine' })
  })

  it('is overwritten with --force, but for package.json and .gitignore, and modes stay', async () => {
    const cwd = workspace({
      'package.json': '{ "name": "mine", "type": "module" }',
      '.gitignore': 'mine\n',
      'tsconfig.json': '{}',
      'other.txt': 'mine',
    })
    // One that no umask leaves as it is.
    chmodSync(join(cwd, 'tsconfig.json'), 0o662)
    const { code, stdout } = await run(['init', '--force'], { cwd })
    expect(code).toBe(0)
    expect(stdout).toContain('  tsconfig.json (overwritten)\n')
    expect(stdout).toContain('  .gitignore (added node_modules/)\n')
    const files = filesOf(cwd)
    expect(files).toMatchObject({ '.gitignore': 'mine\nnode_modules/\n', 'other.txt': 'mine' })
    expect(files['tsconfig.json']).toContain('"strict": true')
    expect(JSON.parse(files['package.json']!).name).toBe('mine')
    expect(statSync(join(cwd, 'tsconfig.json')).mode & 0o777).toBe(0o662)
  })

  it('keeps its package.json, which gets only what the site needs to run', async () => {
    const manifest = { name: 'mine', type: 'module', scripts: { test: 'mine', start: 'rawhttp start' } }
    const cwd = workspace({ 'package.json': JSON.stringify(manifest) })
    const { stdout } = await run(['init'], { cwd })
    expect(stdout).toContain(
      '  package.json (added scripts.dev, scripts.check, dependencies.rawhttp, devDependencies.@types/node,',
    )
    expect(stdout).toContain('\npackage.json keeps its own scripts.test.\n')
    expect(stdout).toMatch(/\n {2}npx vitest run +# /)
    expect(JSON.parse(filesOf(cwd)['package.json']!)).toEqual({
      name: 'mine',
      type: 'module',
      scripts: { test: 'mine', start: 'rawhttp start', dev: expect.any(String), check: expect.any(String) },
      dependencies: { rawhttp: expect.any(String) },
      devDependencies: expect.objectContaining({ vitest: expect.any(String) }),
    })
  })

  it.each([[{}], [{ type: 'commonjs' }]])('gets .mts modules where package.json is %j', async manifest => {
    const cwd = workspace({ 'package.json': JSON.stringify(manifest) })
    await run(['init'], { cwd })
    expect(Object.keys(filesOf(cwd))).toEqual(
      site.map(path => (path.endsWith('.ts') ? path.replace(/ts$/, 'mts') : path)).sort(),
    )
  })

  it.each([
    [
      'a config by another name',
      { 'rawhttp.config.json': '{}' },
      ['init'],
      ': rawhttp.config.json is a config already',
    ],
    [
      'a config in package.json',
      { 'package.json': '{ "rawhttp": {} }' },
      ['init'],
      ": package.json has a config already, the key 'rawhttp'",
    ],
    [
      'CommonJS, for a plugin',
      { 'package.json': '{ "type": "commonjs" }' },
      ['init', '.', '--plugin', 'stamp'],
      `: package.json: expected "type": "module", since plugins are published as ES modules, got 'commonjs'`,
    ],
    [
      'a folder in the place of a file, and a file in that of a folder',
      { 'tsconfig.json/a': '', site: '' },
      ['init'],
      ': tsconfig.json is no file, site is no folder',
    ],
  ])('is refused with %s, whatever --force says', async (_, files, args, sentence) => {
    const cwd = workspace(files)
    const before = filesOf(cwd)
    const stderr = `rawhttp: nothing was written to ${cwd}${sentence}\n`
    expect(await run([...args, '--force'], { cwd })).toEqual({ code: 1, stdout: '', stderr })
    expect(filesOf(cwd)).toEqual(before)
  })

  it('with a file to add to that is not in UTF-8 is refused', async () => {
    const cwd = workspace()
    writeFileSync(join(cwd, '.gitignore'), Buffer.from('# für uns\n', 'latin1'))
    const stderr = `rawhttp: nothing was written to ${cwd}: .gitignore is not in UTF-8\n`
    expect(await run(['init'], { cwd })).toEqual({ code: 1, stdout: '', stderr })
    expect(Object.keys(filesOf(cwd))).toEqual(['.gitignore'])
  })

  it.each([
    ['{\n  "name": }', "line 2: syntax error: Unexpected token '}'"],
    ['[]', 'expected a JSON object, got an empty list'],
  ])('with the package.json %j is refused', async (text, sentence) => {
    const cwd = workspace({ 'package.json': text })
    const stderr = `rawhttp: ${cwd}/package.json: ${sentence}\n`
    expect(await run(['init'], { cwd })).toEqual({ code: 1, stdout: '', stderr })
    expect(Object.keys(filesOf(cwd))).toEqual(['package.json'])
  })
})

describe('links', () => {
  it.each([
    ['a folder', 'site', 'folder'],
    ['a file', 'tsconfig.json', 'file'],
    ['package.json', 'package.json', 'file'],
    ['nothing', 'test', 'nothing'],
  ])('to %s are never written through, whatever --force says', async (_, path, target) => {
    const cwd = workspace({ 'in/a': '', 'out/folder/a': '', 'out/file': '{"type":"module"}' })
    const folder = join(cwd, 'in')
    symlinkSync(join('../out', target), join(folder, path))
    const before = filesOf(cwd)
    const { code, stderr } = await run(['init', folder, '--force'])
    expect([code, stderr]).toEqual([1, `rawhttp: nothing was written to ${folder}: ${path} is a link\n`])
    expect(filesOf(cwd)).toEqual(before)
  })

  it('further down are found too', async () => {
    const cwd = workspace({ 'in/site/a': '', 'out/a': '' })
    symlinkSync('../../out', join(cwd, 'in/site/public'))
    const { stderr } = await run(['init', 'in', '--force'], { cwd })
    expect(stderr).toBe(`rawhttp: nothing was written to ${cwd}/in: site/public is a link\n`)
  })
})

describe('words that mean no folder or plugin', () => {
  it.each([
    ['a file', ['init', 'file'], 2, "expected a folder, got 'file': "],
    ['a name that is none', ['init', '--plugin', 'Stamp'], 2, '--plugin: expected at most 199 small letters'],
    [
      'control characters',
      ['init', 'a\u001bb'],
      2,
      'expected a folder without control characters in its name',
    ],
    ['a folder below a file', ['init', 'file/a/b'], 2, '/file is a file'],
    ['a name that is too long', ['init', 'a'.repeat(300)], 1, 'ENAMETOOLONG: name too long'],
  ])('are refused in one sentence: %s', async (_, args, code, sentence) => {
    const cwd = workspace({ file: '' })
    const { stderr, ...rest } = await run(args, { cwd })
    expect(rest).toEqual({ code, stdout: '' })
    expect(stderr).toMatch(/^rawhttp: [^\n]+\n$/)
    expect(stderr).toContain(sentence)
    expect(filesOf(cwd)).toEqual({ file: '' })
  })
})

/** `rawhttp` on a file system that `patch` has changed: it finds `fs`, and the functions of before in `real`. */
function onBrokenDisk(patch: string): readonly string[] {
  const [node = '', ...command] = rawhttp
  const source = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const real = { ...fs }
    ${patch}
    syncBuiltinESMExports()`
  return [node, `--import=data:text/javascript,${encodeURIComponent(source)}`, ...command]
}

describe('an interruption', () => {
  /** Kills the process in a write, which has written half its text, or before a rename. */
  const killed = (operation: number) => `
    let left = ${operation}
    const die = () => process.kill(process.pid, 'SIGKILL')
    fs.writeFileSync = (file, text, options) => {
      if (left-- > 0) return real.writeFileSync(file, text, options)
      real.writeFileSync(file, text.slice(0, text.length / 2))
      die()
    }
    fs.renameSync = (from, to) => (left-- > 0 ? real.renameSync(from, to) : die())`

  // Eight files: so many writes, and then so many renames, the sixth over the file that is there.
  it.each([
    [0, []],
    [7, []],
    [8, []],
    [10, ['.gitignore', 'package.json']],
    [13, ['.gitignore', 'README.md', 'package.json', 'tsconfig.build.json', 'tsconfig.json']],
  ])('at operation %d leaves no half file, and the next run completes it', async (operation, written) => {
    const cwd = workspace({ 'whole/src/index.ts': 'old', 'cut/src/index.ts': 'old' })
    const args = ['--plugin', 'stamp', '--force']
    await run(['init', 'whole', ...args], { cwd })
    const whole = filesOf(join(cwd, 'whole'))

    const command = [...onBrokenDisk(killed(operation)), 'init', 'cut', ...args]
    const { code, stderr } = await launchProgram(command, { cwd }).finished
    expect([code, stderr]).toEqual([null, ''])
    const left = Object.entries(filesOf(join(cwd, 'cut'))).filter(([path]) => !path.startsWith('.rawhttp-'))
    const expected = Object.entries(whole).filter(([path]) => written.includes(path))
    expect(Object.fromEntries(left)).toEqual({ ...Object.fromEntries(expected), 'src/index.ts': 'old' })

    await run(['init', 'cut', ...args], { cwd })
    expect(filesOf(join(cwd, 'cut'))).toMatchObject(whole)
  })
})

it('a folder that may not be written to is found before the first byte is written', async () => {
  const cwd = workspace({ 'site/public/a': '' })
  const locked = `fs.accessSync = path => {
    if (path.endsWith('public')) throw new Error('EACCES: permission denied')
  }`
  const { code, stderr } = await launchProgram([...onBrokenDisk(locked), 'init'], { cwd }).finished
  const sentence = `nothing was written to ${cwd}: site/public/ may not be written to`
  expect([code, stderr]).toEqual([1, `rawhttp: ${sentence}\n`])
  expect(Object.keys(filesOf(cwd))).toEqual(['site/public/a'])
})

describe('a disk that is full', () => {
  it.each(['mine', 'new/one'])('is told, and nothing stays in %s', async folder => {
    const cwd = workspace({ 'mine/a': '' })
    const full = `
      let left = 3
      fs.writeFileSync = (...all) => {
        if (left-- === 0) throw new Error('ENOSPC: no space left on device, write')
        real.writeFileSync(...all)
      }`
    const { code, stderr } = await launchProgram([...onBrokenDisk(full), 'init', folder], { cwd }).finished
    const sentence = `${join(cwd, folder)} cannot be written: ENOSPC: no space left on device, write`
    expect([code, stderr]).toEqual([1, `rawhttp: ${sentence}\n`])
    expect(globSync('**/{*,.*}', { cwd }).sort()).toEqual(['mine', 'mine/a'])
  })
})
