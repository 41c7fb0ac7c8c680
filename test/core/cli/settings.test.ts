import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { parse } from '../../../core/cli/args.ts'
import { settle } from '../../../core/cli/settings.ts'

const settled = (line: string, env: Readonly<Record<string, string>> = {}) =>
  settle(parse(line.split(' ')), env)

describe('precedence', () => {
  it.each([
    ['start -p 1', { RAWHTTP_PORT: '2', PORT: '3' }, 1],
    ['start', { RAWHTTP_PORT: '2', PORT: '3' }, 2],
    ['start', { PORT: '3' }, 3],
    ['start', { PORT: '' }, undefined],
    ['start --port 0', {}, 0],
  ])('of the port: %s with %j is %s', (line, env, port) => expect(settled(line, env).port).toBe(port))

  it.each([
    ['start --host a', { RAWHTTP_HOST: 'b', HOST: 'c' }, 'a'],
    ['start', { RAWHTTP_HOST: 'b', HOST: 'c' }, 'b'],
    ['start', { HOST: 'c' }, 'c'],
    ['start', {}, undefined],
  ])('of the host: %s with %j is %s', (line, env, host) => expect(settled(line, env).host).toBe(host))

  it.each([
    ['start --mode a', { RAWHTTP_MODE: 'b', NODE_ENV: 'c' }, 'a'],
    ['start', { RAWHTTP_MODE: 'b', NODE_ENV: 'c' }, 'b'],
    ['start', { NODE_ENV: 'c' }, 'c'],
    ['start', {}, 'production'],
  ])('of the mode: %s with %j is %s', (line, env, mode) => expect(settled(line, env).mode).toBe(mode))

  it.each([
    ['start -c a.ts', { RAWHTTP_CONFIG: 'b.ts' }, 'a.ts'],
    ['start', { RAWHTTP_CONFIG: 'b.ts' }, 'b.ts'],
    ['start folder', { RAWHTTP_CONFIG: 'b.ts' }, undefined],
  ])('of the config: %s with %j is %s', (line, env, file) => expect(settled(line, env).file).toBe(file))
})

describe('workers', () => {
  it.each([
    ['start', {}, null],
    ['start --workers 3', { RAWHTTP_WORKERS: '2' }, 3],
    ['start', { RAWHTTP_WORKERS: '2' }, 2],
    ['start --workers auto', {}, availableParallelism()],
    // The variable belongs to the place, and who watches develops.
    ['start --watch', { RAWHTTP_WORKERS: '2' }, null],
  ])('%s with %j are %s', (line, env, workers) => expect(settled(line, env).workers).toBe(workers))

  it.each(['0', '257', '1.5', 'all', '-1'])("cannot be '%s'", text => {
    const expected = `expected auto or a count from 1 to 256, got '${text}'`
    expect(() => settled(`start --workers=${text}`)).toThrow(`--workers: ${expected}`)
    expect(() => settled('start', { RAWHTTP_WORKERS: text })).toThrow(
      `environment variable RAWHTTP_WORKERS: ${expected}`,
    )
  })

  it('do not watch', () => {
    expect(() => settled('start --workers 2 --watch')).toThrow('expected --workers or --watch, got both')
  })

  it('are what --rolling is for', () => {
    expect(settled('start --workers 1 --rolling').rolling).toBe(true)
    expect(() => settled('start --rolling')).toThrow('--rolling is for workers: --workers N')
  })
})

describe('a setting that is wrong', () => {
  it.each(['65536', '-1', '8o80', '1.5', '0x50', '1e3'])('port %s of a flag is a usage error', port => {
    const message = `--port: expected a port from 0 to 65535, got '${port}'`
    expect(() => settled(`start --port ${port}`)).toThrow(
      expect.objectContaining({ name: 'UsageError', message }),
    )
  })

  it('port of a variable is an error of the configuration that names the variable', () => {
    const message = "config: environment variable PORT: expected a port from 0 to 65535, got 'http'"
    const settle = () => settled('start', { PORT: 'http' })
    expect(settle).toThrow(expect.objectContaining({ name: 'ConfigError', message }))
  })

  it('folder beside a config file is a usage error', () => {
    expect(() => settled('start folder -c a.ts')).toThrow('expected a folder or --config FILE, got both')
  })
})
