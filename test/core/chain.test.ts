import fc from 'fast-check'
import { Chain, type Chained } from 'rawhttp'
import { expect, test } from 'vitest'

class Member implements Chained<Member> {
  before: Member | null = null
  after: Member | null = null
}

test('members that were added and not taken out are there in their order, in whatever order both happen', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(7))), steps => {
      const chain = new Chain<Member>()
      const members = Array.from({ length: 8 }, () => new Member())
      const expected = new Set<Member>()
      for (const [adds, place] of steps) {
        const member = members[place]!
        if (adds) {
          chain.add(member)
          expected.add(member)
        } else {
          chain.delete(member)
          expected.delete(member)
        }
      }
      const all = chain.all()
      expect(all).toHaveLength(expected.size)
      expect(chain.size).toBe(expected.size)
      for (const [place, member] of [...expected].entries()) expect(all[place]).toBe(member)
      expect(members.map(member => chain.has(member))).toEqual(members.map(member => expected.has(member)))
      expect(chain.first === null).toBe(expected.size === 0)
    }),
  )
})

test('one that was taken out holds none of the others', () => {
  const chain = new Chain<Member>()
  const members = [new Member(), new Member(), new Member()] as const
  for (const member of members) chain.add(member)
  chain.delete(members[1])
  expect([members[1].before, members[1].after]).toEqual([null, null])
})
