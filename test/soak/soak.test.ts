import { it } from 'vitest'
import { expectWell } from '../hostile/expect-well.ts'
import { soak } from './soak.ts'

// Together with the warm-ups half a minute; `npm run soak` takes ten minutes.
it.each([
  { way: 'in place', seconds: 12, warmUp: 4 },
  { way: 'rolling', seconds: 10, warmUp: 4 },
] as const)(
  'mixed load, slow clients, reloads $way and killed workers lose nobody else, and cost no memory',
  { timeout: 300_000 },
  async settings => {
    await expectWell(() => soak(settings))
  },
)
