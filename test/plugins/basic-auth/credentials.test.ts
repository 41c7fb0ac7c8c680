import fc from 'fast-check'
import { HttpError } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { credentialsOf } from '../../../plugins/basic-auth/credentials.ts'

const coded = (bytes: string | Buffer): string => `Basic ${Buffer.from(bytes).toString('base64')}`

describe('credentials', () => {
  // RFC 7617 sections 2 and 2.1.
  test.each([
    ['Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Aladdin', 'open sesame'],
    ['Basic dGVzdDoxMjPCow==', 'test', '123£'],
    ['basic   dGVzdDoxMjPCow==', 'test', '123£'],
    ['BASIC dGVzdDoxMjPCow', 'test', '123£'],
    [coded('a:b:c'), 'a', 'b:c'],
    [coded(':'), '', ''],
    [coded('cafe\u0301:x'), 'caf\u00e9', 'x'],
  ])('are read from %j', (field, user, password) => {
    expect(credentialsOf(field)).toEqual({ user, password })
  })

  test.each([undefined, '', 'Bearer abc', 'Digest username="x"', 'Basically abc'])(
    'are none in %j',
    field => {
      expect(credentialsOf(field)).toBeNull()
    },
  )

  test.each([
    ['nothing', 'Basic'],
    ['no colon', coded('ann')],
    ['what is no base64', 'Basic a:b'],
    ['base64 for URLs', `Basic ${Buffer.from('a:???>>>').toString('base64url')}`],
    ['padding in the middle', 'Basic QQ==OkI='],
    ['latin1', coded(Buffer.from('caf\xe9:x', 'latin1'))],
    ['a line break', coded('ann:x\n')],
    ['NUL', coded('ann\0:x')],
    ['DEL', coded('ann:\x7f')],
    ['two fields that were joined', `${coded('ann:x')}, ${coded('bob:x')}`],
  ])('cannot be read from %s, which is a 400', (_, field) => {
    expect(() => credentialsOf(field)).toThrow(expect.objectContaining({ status: 400 }))
  })

  test('of any name and password come out as they went in', () => {
    const text = fc.string({ unit: 'grapheme' }).filter(each => !/[\x00-\x1f\x7f]/.test(each))
    fc.assert(
      fc.property(text, text, (name, password) => {
        const user = name.replaceAll(':', '').normalize('NFC')
        expect(credentialsOf(coded(`${user}:${password}`))).toEqual({ user, password })
      }),
    )
  })

  test('of any bytes are read, none, or a 400', () => {
    const field = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map(text => `Basic ${text}`),
      fc.uint8Array().map(bytes => coded(Buffer.from(bytes))),
    )
    fc.assert(
      fc.property(field, text => {
        try {
          const { user = '', password = '' } = credentialsOf(text) ?? {}
          expect(user).not.toMatch(/:/)
          expect(user + password).not.toMatch(/[\x00-\x1f\x7f]/)
        } catch (error) {
          expect(error instanceof HttpError && error.status).toBe(400)
        }
      }),
    )
  })
})
