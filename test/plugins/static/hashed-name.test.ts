import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isHashedName } from '../../../plugins/static/hashed-name.ts'

test.each([
  // Vite, Rollup
  'index-BxK2p9Qa.css',
  'index.BxK2p9Qa.css',
  'vendor-DmJx3k_9.js',
  'logo-C3x-9aZq.svg',
  // webpack, Create React App, Next
  'app-3f9a2b1c.js',
  'main.3f9a2b1c.chunk.js',
  'main.3f9a2b1c.js.map',
  'runtime.3f9a2b1c4d5e6f708192.js',
  'main-3f9a2b1c4d5e6f70.js',
  // Parcel, Angular, esbuild
  'logo.3f9a2b1c.webp',
  'main-5XQ7TNRL.js',
  'styles-B2X7KD3Q.css',
  // Django, Rails, Hugo
  'base.27e20196a850.css',
  `application-${createHash('sha256').update('x').digest('hex')}.js`,
  `main.${createHash('sha512').update('x').digest('hex')}.css`,
])('%s never changes', name => {
  expect(isHashedName(name)).toBe(true)
})

test.each([
  'index.html',
  'index-BxK2p9Qa.html',
  'app.js',
  'jquery-3.6.0.js',
  'jquery-3.6.0.slim.min.js',
  'bootstrap.bundle.min.js',
  'three.r150.js',
  'some-long-name.js',
  'icon-set-v2-large.png',
  'report-20240101.pdf',
  'photo-20240101.jpg',
  'IMG-20240101.JPG',
  'scan-01feb2024.png',
  'scan-1feb2024.png',
  'menu-cafe2024.png',
  'facade42.js',
  'a-deadbeef.js',
  'a-deadbee1.js',
  'box-10x20x30.png',
  'BOX-10X20X30.png',
  'case-iPhone15.png',
  'setup-Win32API.js',
  'Chapter-Report24.mp3',
  'font-awesome.css',
  'step-a1-b2-c3.png',
  // A key, not a hash: another file may come to stand there.
  'avatar-507f1f77bcf86cd799439011.png',
  '3f9a2b1c-4d5e-6f70-8192-a3b4c5d6e7f8.png',
  'avatar-3f9a2b1c-4d5e-6f70-8192-a3b4c5d6e7f8.png',
  '3f9a2b1c.js',
  'a-Qw3rTy7uIoP9.js',
  'app-Tr0ub4dor3.js',
  'data-3f9a2b1c.csv',
  'setup-3f9a2b1c.exe',
  'page-3f9a2b1c.html',
  '-3f9a2b1c.js.html',
  '',
  '.js',
])('%s may change', name => {
  expect(isHashedName(name)).toBe(false)
})

const extension = fc.constantFrom('.js', '.css', '.png', '.min.js', '.js.map', '.woff2')
const separator = fc.constantFrom('-', '.')

test('most hexadecimal hashes are known', () => {
  let known = 0
  const count = 2_000
  for (let i = 0; i < count; i++) {
    const hash = createHash('sha256').update(String(i)).digest('hex').slice(0, 16)
    if (isHashedName(`app-${hash}.js`)) known++
  }
  expect(known / count).toBeGreaterThan(0.95)
})

test('without digits, or without letters, there is no hash', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcdefxyzABCXYZ'), minLength: 1, maxLength: 40 })
  const number = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(word, separator, fc.oneof(word, number), extension, (name, between, token, end) => {
      expect(isHashedName(`${name}${between}${token}${end}`)).toBe(false)
    }),
    { numRuns: 3_000 },
  )
})

test('a word before a number, or a number before a word, is no hash', () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'ABCXYZ'), minLength: 1, maxLength: 12 }),
  )
  const number = fc.nat().map(String)
  fc.assert(
    fc.property(word, number, fc.boolean(), extension, (text, digits, isFirst, end) => {
      expect(isHashedName(`name-${isFirst ? text + digits : digits + text}${end}`)).toBe(false)
    }),
    { numRuns: 3_000 },
  )
})

test('versions are no hashes', () => {
  const version = fc
    .array(fc.nat(999), { minLength: 1, maxLength: 4 })
    .map(numbers => numbers.join('.'))
    .chain(text => fc.constantFrom(text, `v${text}`, `${text}-rc1`, `${text}-beta.2`))
  fc.assert(
    fc.property(version, separator, extension, (text, between, end) => {
      expect(isHashedName(`library${between}${text}${end}`)).toBe(false)
    }),
    { numRuns: 3_000 },
  )
})
