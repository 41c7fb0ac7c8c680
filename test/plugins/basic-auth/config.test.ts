import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createServer } from 'rawhttp'
import { type BasicAuthOptions, basicAuth, basicAuthGuard } from 'rawhttp/plugins/basic-auth'
import { describe, expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { tempFile } from '../../support/temp-file.ts'
import { basic, cheapHash, guarded } from './site.ts'

const hash = await cheapHash('x')

const mistakes: [string, unknown, string, string][] = [
  ['nothing', {}, '', 'expected one of users, file and verify, got none'],
  [
    'two sources',
    { users: { ann: hash }, file: './x' },
    '',
    'expected one of users, file and verify, got users and file',
  ],
  ['no user', { users: {} }, '.users', 'expected at least one user, got none'],
  ['a list', { users: ['ann'] }, '.users', "expected hashes by user such as { ann: '$scrypt$…' }"],
  [
    'a password',
    { users: { ann: 'hunter2' } },
    '.users.ann',
    'expected a hash that hashPassword() has made, got a plaintext',
  ],
  [
    'a number',
    { users: { ann: 4711 } },
    '.users.ann',
    'expected a hash that hashPassword() has made, got a plaintext',
  ],
  [
    'bcrypt',
    { users: { ann: '$2b$10$abc' } },
    '.users.ann',
    'expected a hash that hashPassword() has made, got bcrypt',
  ],
  ['a colon in a name', { users: { 'a:b': hash } }, '.users', 'expected a name without a colon'],
  [
    'one name in two forms',
    { users: { 'caf\u00e9': hash, 'cafe\u0301': hash } },
    '.users',
    'stands there twice',
  ],
  [
    'a realm with a line break',
    { users: { ann: hash }, realm: 'a\nb' },
    '.realm',
    'expected printable ASCII',
  ],
  ['an empty realm', { users: { ann: hash }, realm: '' }, '.realm', 'expected printable ASCII'],
  ['a password for a function', { verify: 'hunter2' }, '.verify', 'expected a function'],
  [
    'a time without a unit',
    { users: { ann: hash }, remember: '5' },
    '.remember',
    "expected a duration such as '5m'",
  ],
  ['a path that is none', { file: 3 }, '.file', "expected a path such as './htpasswd'"],
]

describe.each(mistakes)('%s', (_, options, path, problem) => {
  test('is refused when the config loads', async () => {
    const start = createServer({ plugins: [basicAuth(options as BasicAuthOptions)] })
    await expect(start).rejects.toThrow(`config: plugins[0] (basic-auth): options${path}`)
    await expect(start).rejects.toThrow(`: ${problem}`)
    await expect(start).rejects.not.toThrow(/hunter2|4711/)
  })

  test('is refused by the guard in the same words', () => {
    const make = () => basicAuthGuard(options as BasicAuthOptions)
    expect(make).toThrow(`config: basicAuthGuard()${path}`)
    expect(make).toThrow(`: ${problem}`)
    expect(make).not.toThrow(/hunter2|4711/)
  })
})

test('an option that is not known is refused, with what was meant', async () => {
  await expect(createServer({ plugins: [basicAuth({ user: {} } as BasicAuthOptions)] })).rejects.toThrow(
    "options.user: unknown option; did you mean 'users'?",
  )
})

describe('a password file', () => {
  test('has comments, empty lines, CRLF, and every kind of hash that can be checked', async () => {
    const file = await tempFile(
      'htpasswd',
      `\uFEFF# people\r\n\r\nann:${hash}\r\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\r\nju\u0308rgen:${hash}  \n`,
    )
    const { as, reports } = await guarded({ file })
    expect((await as('ann', 'x')).status).toBe(200)
    expect((await as('bob', 'password')).status).toBe(200)
    expect((await as('j\u00fcrgen', 'x')).status).toBe(200)
    expect((await as('# people', '')).status).toBe(401)
    expect(reports.map(({ severity, plugin, message }) => [severity, plugin, message])).toEqual([
      [
        'warning',
        'basic-auth',
        'site "default": the passwords of "bob" are stored as {SHA}, which is guessed by the billion a second',
      ],
    ])
  })

  test("is found from the site's folder", async () => {
    const file = await tempFile('htpasswd', `ann:${hash}`)
    const { ask } = await serve({
      sites: [{ name: 'a', dir: join(file, '..'), plugins: [basicAuth({ file: 'htpasswd' })] }],
    })
    expect((await ask()).status).toBe(401)
    expect((await ask({ headers: basic('ann', 'x') })).status).toBe(404)
  })

  test.each([
    [
      'a bcrypt hash',
      `ann:${hash}\nbob:$2y$05$hunter2`,
      ':2: expected a hash that hashPassword() has made, got bcrypt',
    ],
    [
      'an MD5 hash',
      '# x\n\nbob:$apr1$hunter2$x',
      ':3: expected a hash that hashPassword() has made, got MD5',
    ],
    [
      'a plaintext password',
      'bob:hunter2',
      ':1: expected a hash that hashPassword() has made, got a plaintext',
    ],
    ['a line without a user', 'hunter2', ':1: expected user:hash, got a line without a user'],
    ['an empty user', ':hunter2', ':1: expected user:hash, got a line without a user'],
    ['a user twice', `ann:${hash}\nann:${hash}`, ':2: "ann" stands there twice'],
    ['nobody', '# nobody\n', ' has no user'],
  ])('with %s fails the start by file and line', async (_, content, problem) => {
    const file = await tempFile('htpasswd', content)
    const start = createServer({ plugins: [basicAuth({ file })] })
    await expect(start).rejects.toThrow(`config: plugins[0] (basic-auth): options.file: ${file}${problem}`)
    await expect(start).rejects.not.toThrow('hunter2')
  })

  test('that is not there fails the start', async () => {
    await expect(createServer({ plugins: [basicAuth({ file: '/none/htpasswd' })] })).rejects.toThrow(
      'options.file: expected a file that can be read, got no such file: /none/htpasswd',
    )
  })

  test('of a guard has an absolute path or a URL', async () => {
    const file = await tempFile('htpasswd', `ann:${hash}`)
    expect(basicAuthGuard({ file })).toBeTypeOf('function')
    expect(basicAuthGuard({ file: pathToFileURL(file) })).toBeTypeOf('function')
    expect(basicAuthGuard({ file: pathToFileURL(file).href })).toBeTypeOf('function')
    expect(() => basicAuthGuard({ file: './htpasswd' })).toThrow(
      "config: basicAuthGuard().file: expected an absolute path or a file: URL (a guard belongs to no folder), got './htpasswd'",
    )
    expect(() => basicAuthGuard({ file: '/none/htpasswd' })).toThrow('got no such file: /none/htpasswd')
  })
})
