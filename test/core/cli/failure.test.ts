import { describe, expect, it } from 'vitest'
import { parse } from '../../../core/cli/args.ts'
import { explain } from '../../../core/cli/failure.ts'
import { ConfigError, configErrorOf } from '../../../core/config/errors.ts'

const start = parse(['start'])
const listenError = (code: string, listener: string) =>
  Object.assign(new Error(`listen ${code}`), { code, listener })

describe('a failure', () => {
  it.each([
    [
      'EADDRINUSE',
      '127.0.0.1:8080',
      'is in use already: stop what runs there, or choose another port with --port',
    ],
    ['EACCES', '127.0.0.1:80', 'may not be opened by this user: ports below 1024 need more rights'],
    [
      'EACCES',
      '/run/x.sock',
      'may not be opened by this user: check that the folder exists and who may write there',
    ],
    [
      'EADDRINUSE',
      '/run/x.sock',
      'is in use already: stop what listens there, or remove the file that it left behind',
    ],
    ['ENOTFOUND', 'nope.invalid:80', 'is not a host that can be found: choose an address with --host'],
    ['EADDRNOTAVAIL', '10.9.9.9:80', 'is not an address of this machine: choose another with --host'],
  ])('to listen, %s on %s, is one line with advice', (code, listener, advice) => {
    const { text, code: exitCode } = explain(listenError(code, listener), start)
    expect(text).toContain(`rawhttp: ${listener} ${advice}`)
    expect(text.trimEnd()).not.toContain('\n')
    expect(exitCode).toBe(1)
  })

  it.each([
    ['EADDRINUSE', '1.2.3.4:8080', 'listen[1].port'],
    ['EACCES', '1.2.3.4:80', 'listen[1].port'],
    ['ENOTFOUND', 'nope.invalid:80', 'listen[1].host'],
  ])(
    'on another listener than the first does not advise flags, which change the first: %s',
    (code, listener, option) => {
      const { text } = explain(Object.assign(listenError(code, listener), { at: 'listen[1]' }), start)
      expect(text).toContain(`in ${option}`)
      expect(text).not.toContain('--')
    },
  )

  it('on a port that this server has itself says what stands in the way', () => {
    const error = Object.assign(listenError('EADDRINUSE', '0.0.0.0:80'), { heldBy: '127.0.0.1:80' })
    const sentence = '0.0.0.0:80 cannot be opened while this server has 127.0.0.1:80'
    expect(explain(error, start).text).toBe(
      `rawhttp: ${sentence}: restart it to change the address of a port\n`,
    )
  })

  it('of a Unix socket whose path is too long says so', () => {
    expect(explain(listenError('EINVAL', '/a/b'), start).text).toContain('has at most about 100 characters')
  })

  it('of a file is not taken for one of a listener', () => {
    const error = Object.assign(new Error('EACCES: open /var/log/x'), { code: 'EACCES' })
    expect(explain(error, start)).toEqual({ text: 'rawhttp: EACCES: open /var/log/x\n', code: 1 })
  })

  it('shows its stack and its causes only when --verbose asks for them', () => {
    const error = new Error('outer', { cause: new Error('inner') })
    expect(explain(error, start).text).toBe('rawhttp: outer\n')
    const verbose = explain(error, parse(['start', '--verbose'])).text
    expect(verbose).toContain('Error: outer\n    at ')
    expect(verbose).toContain('caused by: Error: inner\n    at ')
  })

  it('of the config prints every mistake, and its exit code is 78', () => {
    const error = configErrorOf([
      { path: 'a', problem: 'is bad' },
      { path: 'b', problem: 'is worse' },
    ])
    const text = 'rawhttp: config: a: is bad\nrawhttp: config: b: is worse\n'
    expect(explain(error, start)).toEqual({ text, code: 78 })
  })

  it('with the name ConfigError counts as one of the config, whatever made it', () => {
    const foreign = Object.assign(new Error('no'), { name: 'ConfigError' })
    expect(explain(foreign, start)).toEqual({ text: 'rawhttp: no\n', code: 78 })
  })

  it('has the exit code that the error carries', () => {
    expect(explain(Object.assign(new Error('no'), { exitCode: 3 }), start).code).toBe(3)
  })

  it('of any kind is one of the config for check', () => {
    expect(explain(new Error('set-up failed'), parse(['check'])).code).toBe(78)
    expect(explain(new Error('set-up failed'), start).code).toBe(1)
  })

  it('that is no error is shown as it is', () => {
    expect(explain('lost', start)).toEqual({ text: 'rawhttp: lost\n', code: 1 })
    expect(explain(null, start)).toEqual({ text: 'rawhttp: null\n', code: 1 })
  })

  it('of a plugin that names its exit code as 0 still fails', () => {
    expect(explain(Object.assign(new ConfigError({ problem: 'x' }), { exitCode: 0 }), start).code).toBe(78)
    expect(explain(Object.assign(new Error('x'), { exitCode: 0 }), start).code).toBe(1)
  })
})
