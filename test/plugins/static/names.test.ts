import { posix } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toByteText } from '../../../plugins/static/byte-text.ts'
import { wantedNames } from '../../../plugins/static/names.ts'

const names = (path: string, dotfiles = false): readonly string[] | null =>
  wantedNames(path, dotfiles)?.names ?? null

test('takes a path apart into names, and tells a folder by its slash', () => {
  expect(wantedNames('/', false)).toEqual({ names: [], isFolder: true })
  expect(wantedNames('/a/b.txt', false)).toEqual({ names: ['a', 'b.txt'], isFolder: false })
  expect(wantedNames('/a/b/', false)).toEqual({ names: ['a', 'b'], isFolder: true })
})

test('decodes each name once', () => {
  expect(names('/a%20b/%C3%A4.txt')).toEqual(['a b', toByteText('ä.txt')])
  expect(names('/100%25')).toEqual(['100%'])
  expect(names('/%252e%252e')).toEqual(['%2e%2e'])
})

test.each([
  ['a slash', '/a%2Fb'],
  ['a backslash', '/a%5Cb'],
  ['a NUL', '/a%00b'],
  ['one dot', '/%2E/a'],
  ['two dots', '/a/%2E%2E/b'],
  ['two raw dots, should the kernel ever let them by', '/a/../b'],
  ['nothing', '/a//b'],
  ['a character that is no byte', '/\u0161'],
  ['a broken escape', '/%4'],
])('no name has %s', (_what, path) => {
  expect(names(path, true)).toBeNull()
})

test('a name may have any other byte, each standing for itself', () => {
  expect(names('/%FF%01')).toEqual(['\xff\x01'])
  expect(names('/%C0%AE%C0%AE/b')).toEqual(['\xc0\xae\xc0\xae', 'b'])
})

test('the path of OPTIONS * is no file', () => {
  expect(names('*')).toBeNull()
})

test('hides names that begin with a dot, at any depth and in any spelling', () => {
  for (const path of ['/.env', '/.git/config', '/a/.b', '/a/.b/c', '/%2Eenv', '/...']) {
    expect(names(path), path).toBeNull()
    expect(names(path, true), path).not.toBeNull()
  }
})

test('/.well-known/ is not hidden, but only at the root, and not what is hidden in it', () => {
  expect(names('/.well-known/security.txt')).toEqual(['.well-known', 'security.txt'])
  expect(names('/.well-known/.htaccess')).toBeNull()
  expect(names('/a/.well-known/security.txt')).toBeNull()
})

test('whatever the path, the names lead to a place below the root, one step each', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '..',
      '.',
      '%2e',
      '%2E',
      '%2f',
      '%5C',
      '\\',
      '%00',
      '\0',
      '%c0%ae',
      '%25',
      'a',
      ';',
      ':',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  const path = fc.array(piece, { maxLength: 12 }).map(pieces => `/${pieces.join('')}`)
  fc.assert(
    fc.property(path, fc.boolean(), (text, dotfiles) => {
      const found = names(text, dotfiles)
      if (found === null) return
      const joined = posix.join('/srv/root', ...found)
      expect(joined).toBe(['/srv/root', ...found].join('/'))
      expect(posix.relative('/srv/root', joined).split('/')).not.toContain('..')
    }),
    { numRuns: 5_000 },
  )
})
