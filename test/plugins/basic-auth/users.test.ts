import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredHash } from '../../../plugins/basic-auth/hash.ts'
import { Users } from '../../../plugins/basic-auth/users.ts'

/** Hashes that note who was checked, the password being the name of the hash. */
function counted(names: readonly string[]) {
  const checks: string[] = []
  const hash = (name: string): StoredHash => ({
    isWeak: false,
    verify: async password => {
      checks.push(name)
      return password === name
    },
  })
  return { users: new Users(new Map(names.map(name => [name, hash(name)]))), checks }
}

test('any name costs one check, whether it is known or not, and only its own password is right', async () => {
  const names = ['ann', 'bob', 'eve']
  const name = fc.oneof(fc.constantFrom(...names), fc.string())
  await fc.assert(
    fc.asyncProperty(name, name, async (user, password) => {
      const { users, checks } = counted(names)
      expect(await users.verify(user, password)).toBe(names.includes(user) && user === password)
      expect(checks.length).toBe(1)
      if (names.includes(user)) expect(checks).toEqual([user])
    }),
  )
})

test('an unknown name always costs what the same user costs', async () => {
  const { users, checks } = counted(['ann', 'bob', 'eve'])
  for (let turn = 0; turn < 5; turn++) await users.verify('mallory', 'x')
  expect(new Set(checks).size).toBe(1)
  for (let turn = 0; turn < 100; turn++) await users.verify(`mallory${turn}`, 'x')
  expect(new Set(checks).size).toBe(3)
})

test("a stand-in's password lets nobody in", async () => {
  const { users } = counted(['ann'])
  expect(await users.verify('mallory', 'ann')).toBe(false)
})
