import { createServer } from 'rawhttp'
import { type CookiesOptions, cookies, cookiesOf } from 'rawhttp/plugins/cookies'
import { describe, expect, test } from 'vitest'
import { run } from '../../core/cli/run-cli.ts'
import { installRawhttp, workspace } from '../../core/config/workspace.ts'
import { serve } from '../../support/in-memory.ts'
import { tempFile } from '../../support/temp-file.ts'
import { handler, lines, NEW, OLD, sentBack } from './serve.ts'

const errorOf = async (options: unknown): Promise<string> => {
  const error = await createServer({ plugins: [cookies(options as CookiesOptions)] }).then(
    () => new Error('it was taken'),
    thrown => thrown as Error & { readonly also?: readonly Error[] },
  )
  return error.message
}

describe('options that are refused', () => {
  const short = 'hunter2'
  test.each([
    [
      'a short secret',
      { secrets: [NEW, short] },
      `options.secrets[1]: expected a secret of at least 32 bytes, got one of 7; make one with "openssl rand -base64 32"`,
    ],
    [
      'a variable that is not set',
      { secrets: [undefined] },
      'options.secrets[0]: expected a secret of at least 32 bytes (is its environment variable set?), got undefined',
    ],
    [
      'one secret for a list',
      { secrets: short },
      'options.secrets: expected a list of secrets, the newest first, got a string',
    ],
    ['no secret', { secrets: [] }, 'options.secrets: expected at least one secret, got an empty list'],
    [
      'a secret for options',
      short,
      'options: expected options such as { secrets: [process.env.COOKIE_SECRET] }, got a string',
    ],
    ['another name', { secret: short }, "options.secret: unknown option; did you mean 'secrets'?"],
    ['two places', { secrets: [NEW], secretsFile: '/x' }, "options.secretsFile: excludes 'secrets'"],
    [
      'an unknown default',
      { defaults: { httponly: true } },
      "options.defaults.httponly: unknown option; did you mean 'httpOnly'?",
    ],
    [
      'a default of another kind',
      { defaults: { secure: 1 } },
      "options.defaults.secure: expected true, false or 'auto', got 1",
    ],
    [
      'a default that no cookie could have',
      { defaults: { path: '/;' } },
      'options.defaults: cookie path is invalid: /;',
    ],
    [
      'defaults that browsers drop',
      { defaults: { sameSite: 'none', secure: false } },
      'options.defaults: by its prefix, sameSite or partitioned it must have secure true, got false',
    ],
  ])('%s', async (_what, options, message) => {
    const text = await errorOf(options)
    expect(text).toBe(`config: plugins[0] (cookies): ${message}`)
    expect(text).not.toContain(short)
  })
})

describe('a file of secrets', () => {
  const signs = handler(request => {
    const all = cookiesOf(request)
    if (request.path === '/set') all.setSigned('a', '1')
    return String(all.getSigned('a')?.isOld)
  })

  test('has one a line, the newest first', async () => {
    const old = await serve([cookies({ secrets: [OLD] }), signs])
    const secretsFile = await tempFile('secrets', `\n${NEW}\r\n  ${OLD}\n\n`)
    const { ask } = await serve([cookies({ secretsFile }), signs])
    expect((await ask({ headers: sentBack(await old.ask('/set')) })).text()).toBe('true')
    const set = await ask('/set')
    expect(lines(set)).toHaveLength(1)
    expect((await ask({ headers: sentBack(set) })).text()).toBe('false')
  })

  test.each([
    ['is not there', null, /options\.secretsFile: cannot be read: ENOENT.+secrets/],
    ['is empty', '\n \n', /options\.secretsFile: expected a secret a line in .+secrets, got none$/],
    [
      'has a short one',
      `${NEW}\nhunter2\n`,
      /options\.secretsFile: .+secrets:2: expected a secret of at least 32 bytes, got one of 7;/,
    ],
  ])('that %s is refused, and shows nothing of itself', async (_what, content, message) => {
    const file = await tempFile('secrets', content ?? '')
    const text = await errorOf({ secretsFile: content === null ? `${file}/secrets` : file })
    expect(text).toMatch(content === null ? /options\.secretsFile: cannot be read: ENOTDIR/ : message)
    for (const secret of [NEW, 'hunter2']) expect(text).not.toContain(secret)
  })
})

describe('on the command line', () => {
  test('check takes a config, from JSON too, and prints no secret', async () => {
    const config = { plugins: [['cookies', { secretsFile: './secrets' }]] }
    const cwd = workspace({ 'rawhttp.config.json': JSON.stringify(config), secrets: NEW })
    const { code, stdout, stderr } = await run(['check'], { cwd })
    expect([code, stdout + stderr]).toEqual([0, expect.not.stringContaining(NEW)])
  })

  test('a short secret ends the start with 78', async () => {
    const source = `import { cookies } from 'rawhttp/plugins/cookies'
export default { plugins: [cookies({ secrets: [process.env.COOKIE_SECRET] })] }`
    const cwd = workspace({ 'rawhttp.config.mjs': source })
    installRawhttp(cwd)
    const { code, stderr } = await run(['start', '--port', '0'], { cwd, env: { COOKIE_SECRET: 'hunter2' } })
    expect(code).toBe(78)
    expect(stderr).toBe(
      'rawhttp: rawhttp.config.mjs: plugins[0] (cookies): options.secrets[0]: expected a secret of at least 32 bytes, got one of 7; make one with "openssl rand -base64 32"\n',
    )
  })
})
