import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OpenVisits } from '../../../plugins/cache/open-visits.ts'
import { Visit } from '../../../plugins/cache/visit.ts'

test('those that were added and not taken out are there, in whatever order both happen', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(7))), steps => {
      const open = new OpenVisits()
      const visits = Array.from({ length: 8 }, (_, i) => new Visit(String(i)))
      const expected = new Set<Visit>()
      for (const [adds, place] of steps) {
        const visit = visits[place]!
        if (!adds) {
          open.delete(visit)
          expected.delete(visit)
        } else if (!expected.has(visit)) {
          open.add(visit)
          expected.add(visit)
        }
      }
      expect(new Set(open.all())).toEqual(expected)
      expect(open.all()).toHaveLength(expected.size)
    }),
  )
})
