import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository, workspace } from '../config/workspace.ts'
import { run } from './run-cli.ts'

describe('rawhttp', () => {
  it.each([[[]], [['--help']], [['-h']]])('%j prints the short help', async args => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Usage: rawhttp <command> [flags]')
  })

  it.each(['start', 'check'])(
    '%s --help prints the help of the command, whatever else stands there',
    async command => {
      const { code, stdout } = await run([command, '--config', 'nope', '-h'])
      expect(code).toBe(0)
      expect(stdout).toContain(`Usage: rawhttp ${command} [folder] [flags]`)
      expect(stdout).toContain('--config FILE')
    },
  )

  it.each([[['--version']], [['-v']], [['start', '-v']]])('%j prints the version', async args => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      version: string
    }
    expect(await run(args)).toEqual({ code: 0, stdout: `rawhttp ${version}\n`, stderr: '' })
  })

  it('loads neither valibot nor cosmiconfig for its help', async () => {
    const { stderr } = await run(['--help'], { env: { NODE_DEBUG: 'module,esm' } })
    expect(stderr).not.toMatch(/valibot|cosmiconfig/)
  })
})

describe('exit code 2', () => {
  it.each([
    ['an unknown command', ['strat'], "rawhttp: unknown command 'strat'; did you mean 'start'?\n"],
    ['an unknown flag', ['start', '--prot=1'], "rawhttp: unknown flag --prot; did you mean '--port'?\n"],
    [
      'a bad port',
      ['start', '-p', '99999'],
      "rawhttp: --port: expected a port from 0 to 65535, got '99999'\n",
    ],
    ['a missing folder', ['start', 'nope'], "rawhttp: expected a folder, got 'nope', which does not exist\n"],
  ])('is for %s', async (_, args, stderr) => {
    expect(await run(args, { cwd: workspace() })).toEqual({ code: 2, stdout: '', stderr })
  })
})

describe('exit code 78', () => {
  it.each(['start', 'check'])('is for a mistake in the config, with %s', async command => {
    const cwd = workspace({ 'rawhttp.config.mjs': 'export default { listn: [] }' })
    const stderr = "rawhttp: rawhttp.config.mjs: listn: unknown option; did you mean 'listen'?\n"
    expect(await run([command], { cwd })).toEqual({ code: 78, stdout: '', stderr })
  })

  it.each(['start', 'check'])('is for a TLS listener without a plugin for it, with %s', async command => {
    const cwd = workspace({ 'rawhttp.config.mjs': 'export default { listen: [{ port: 0, tls: true }] }' })
    const { code, stderr } = await run([command], { cwd })
    expect(code).toBe(78)
    expect(stderr).toContain('rawhttp.config.mjs: listen[0].tls: no plugin terminates TLS')
  })

  it('is for a config file that does not exist, from RAWHTTP_CONFIG too', async () => {
    const stderr = 'rawhttp: nope.mjs: expected a config file, got no such file\n'
    const cwd = workspace()
    expect(await run(['start', '-c', 'nope.mjs'], { cwd })).toMatchObject({ code: 78, stderr })
    expect(await run(['start'], { cwd, env: { RAWHTTP_CONFIG: 'nope.mjs' } })).toMatchObject({
      code: 78,
      stderr,
    })
  })

  it('is for a bad PORT', async () => {
    const { code, stderr } = await run(['start'], { cwd: workspace(), env: { PORT: 'x' } })
    expect(code).toBe(78)
    expect(stderr).toContain("environment variable PORT: expected a port from 0 to 65535, got 'x'")
  })

  it('comes with every mistake of the shape, a line each, and no stack', async () => {
    const cwd = workspace({ 'rawhttp.config.json': '{"listen":[{"port":-1}],"limits":{"headers":0}}' })
    const { stderr } = await run(['check'], { cwd })
    expect(stderr.trimEnd().split('\n').sort()).toEqual([
      'rawhttp: rawhttp.config.json: limits.headers: expected a whole number of at least 1, got 0',
      'rawhttp: rawhttp.config.json: listen[0].port: expected a port from 0 to 65535, got -1',
    ])
  })

  it('comes with the stack when --verbose asks for it', async () => {
    const cwd = workspace({ 'rawhttp.config.mjs': 'throw new Error("boom")' })
    const { stderr } = await run(['check', '--verbose'], { cwd })
    expect(stderr).toContain('rawhttp: rawhttp.config.mjs: line 1: boom\n')
    expect(stderr).toMatch(/caused by: Error: boom\n {4}at file:.*rawhttp\.config\.mjs:1/)
  })
})
