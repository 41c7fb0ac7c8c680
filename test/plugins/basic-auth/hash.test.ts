import crypto from 'node:crypto'
import { hashPassword } from 'rawhttp/plugins/basic-auth'
import { describe, expect, test } from 'vitest'
import { parseHash, scryptHash } from '../../../plugins/basic-auth/hash.ts'

const CHEAP = { ln: 4, r: 8, p: 1 }

describe('hashPassword', () => {
  test('makes hashes in the PHC string format that differ, and that the password fits', async () => {
    const [one, two] = await Promise.all([hashPassword('open sesame'), hashPassword('open sesame')])
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(two)
    expect(await parseHash(one).verify('open sesame')).toBe(true)
    expect(await parseHash(one).verify('open sesam')).toBe(false)
  })

  test.each(['', undefined, 3])('refuses %j', async password => {
    await expect(hashPassword(password as string)).rejects.toThrow(
      'hashPassword: expected a text that is not empty',
    )
  })
})

describe('a stored hash', () => {
  // RFC 7914 section 12, of 64 bytes.
  test('of scrypt is checked as its RFC says', async () => {
    const salt = Buffer.from('SodiumChloride').toString('base64').replace(/=+$/, '')
    const key =
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887'
    const hash = Buffer.from(key, 'hex').toString('base64').replace(/=+$/, '')
    const stored = parseHash(`$scrypt$ln=14,r=8,p=1$${salt}$${hash}`)
    expect(await stored.verify('pleaseletmein')).toBe(true)
    expect(await stored.verify('pleaseletmeout')).toBe(false)
  })

  // Made by the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -e
  test('of argon2id is checked where Node has it', async context => {
    const text = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    if (typeof crypto.argon2 !== 'function') return context.skip('this Node has no argon2')
    expect(await parseHash(text).verify('password')).toBe(true)
    expect(await parseHash(text).verify('passwort')).toBe(false)
  })

  test('of {SHA} is checked, and known to be weak', async () => {
    const stored = parseHash('{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=')
    expect([await stored.verify('password'), await stored.verify('Password')]).toEqual([true, false])
    expect(stored.isWeak).toBe(true)
    expect(parseHash(await scryptHash('password', CHEAP)).isWeak).toBe(false)
  })

  test('takes an accented letter in either of its Unicode forms', async () => {
    const stored = parseHash(await scryptHash('caf\u00e9', CHEAP))
    expect([await stored.verify('cafe\u0301'), await stored.verify('cafe')]).toEqual([true, false])
  })

  const salt = 'c29tZXNhbHRzb21l'
  const key = 'A'.repeat(43)
  test.each([
    ['apr1', '$apr1$salt$hash', 'MD5 (apr1), which is broken'],
    ['bcrypt', '$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC', 'bcrypt'],
    ['SHA-crypt', '$6$salt$hash', 'SHA-crypt'],
    ['yescrypt', '$y$j9T$salt$hash', 'yescrypt'],
    ['argon2i', `$argon2i$v=19$m=64,t=2,p=1$${salt}$${key}`, 'argon2i or argon2d, of which only argon2id'],
    ['a salted SHA-1', '{SSHA}abcd', 'a scheme of LDAP'],
    ['a plaintext password', 'hunter2-secret', 'a plaintext password'],
    ['nothing', '', 'a plaintext password'],
    ['scrypt without rounds', `$scrypt$ln=0,r=8,p=1$${salt}$${key}`, 'one with parts that are missing'],
    ['scrypt that takes 2 GB', `$scrypt$ln=21,r=8,p=1$${salt}$${key}`, 'one with parts that are missing'],
    ['scrypt with a short hash', `$scrypt$ln=15,r=8,p=1$${salt}$AAAA`, 'one with parts that are missing'],
    ['scrypt with a short salt', `$scrypt$ln=15,r=8,p=1$AAAA$${key}`, 'one with parts that are missing'],
    [
      'argon2id without memory',
      `$argon2id$v=19$m=0,t=2,p=1$${salt}$${key}`,
      'one with parts that are missing',
    ],
  ])('cannot be %s, and the error does not tell it', (_, text, kind) => {
    const read = () => parseHash(text)
    expect(read).toThrow(`expected a hash that hashPassword() has made, got ${kind}`)
    if (text !== '') expect(read).not.toThrow(text)
  })
})
