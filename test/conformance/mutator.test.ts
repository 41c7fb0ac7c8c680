import { describe, expect, test } from 'vitest'
import { corpus, seeds } from './corpus.ts'
import { mutated, Random } from './mutator.ts'
import { difference } from './naive-difference.ts'
import { ParserReading } from './parser-reading.ts'

const INPUTS = 200_000
const SEED = 9_112

describe('the parser and a naive reading of RFC 9112', () => {
  test.each(corpus)('agree on %j', text => {
    expect(difference(text, new ParserReading(text, 0))).toBeNull()
  })

  test(`agree on ${INPUTS} mutations of the table`, () => {
    const random = new Random(SEED)
    let accepted = 0
    let refused = 0
    for (let i = 0; i < INPUTS; i++) {
      const text = mutated(seeds, random)
      const reading = new ParserReading(text, random.below(text.length + 1))
      const found = difference(text, reading)
      if (found !== null) expect.fail(`input ${i}, ${JSON.stringify(text)}: ${found}`)
      if (reading.requests.length > 0) accepted++
      if (reading.refusal !== null) refused++
    }
    // Else the mutations would be too wild, or too tame, to say anything.
    expect(accepted).toBeGreaterThan(INPUTS / 10)
    expect(refused).toBeGreaterThan(INPUTS / 4)
  })
})
