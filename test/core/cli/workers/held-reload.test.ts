import { describe, expect, it } from 'vitest'
import type { Outcome, PreparedReload } from '../../../../core/cli/reloader.ts'
import { HeldReload } from '../../../../core/cli/workers/held-reload.ts'

/** A worker's reload whose parts end when the test says so, and what has happened to them. */
function held() {
  const said: string[] = []
  const gates: ((outcome?: Outcome) => void)[] = []
  const reload = new HeldReload(async () => {
    const number = gates.length + 1
    const gate = Promise.withResolvers<Outcome | undefined>()
    gates.push(gate.resolve)
    said.push(`begin ${number}`)
    const failure = await gate.promise
    if (failure !== undefined) return failure
    const made: PreparedReload = {
      fingerprint: String(number),
      async commit() {
        said.push(`commit ${number}`)
        return { code: 0, text: 'fine\n' }
      },
      async abandon() {
        said.push(`abandon ${number}`)
      },
    }
    return made
  })
  /** Lets what was begun so far go on. */
  const turn = () => new Promise(resolve => setImmediate(resolve))
  const end = async (number: number, failure?: Outcome) => {
    await turn()
    gates[number - 1]!(failure)
    await turn()
  }
  return { reload, said, turn, end }
}

const nothing = { code: 1, text: 'rawhttp: nothing is prepared\n' }

describe('what a worker has prepared', () => {
  it('is gone over to once', async () => {
    const { reload, said, end } = held()
    const prepared = reload.prepare()
    await end(1)
    expect(await prepared).toEqual({ fingerprint: '1' })
    expect(await reload.commit()).toEqual({ code: 0, text: 'fine\n' })
    expect(await reload.commit()).toEqual(nothing)
    await reload.abandon()
    expect(said).toEqual(['begin 1', 'commit 1'])
  })

  it('is abandoned once, and not gone over to any more', async () => {
    const { reload, said, end } = held()
    void reload.prepare()
    await end(1)
    await Promise.all([reload.abandon(), reload.abandon()])
    expect(await reload.commit()).toEqual(nothing)
    expect(said).toEqual(['begin 1', 'abandon 1'])
  })

  it('is abandoned when it comes, where it was given up before', async () => {
    const { reload, said, end } = held()
    void reload.prepare()
    const abandoned = reload.abandon()
    await end(1)
    await abandoned
    expect(said).toEqual(['begin 1', 'abandon 1'])
    expect(await reload.commit()).toEqual(nothing)
  })

  it('is abandoned before the next one begins, though nobody has said so', async () => {
    const { reload, said, turn, end } = held()
    void reload.prepare()
    await turn()
    const next = reload.prepare()
    await turn()
    expect(said).toEqual(['begin 1'])
    await end(1)
    await end(2)
    expect(await next).toEqual({ fingerprint: '2' })
    expect(said).toEqual(['begin 1', 'abandon 1', 'begin 2'])
    expect((await reload.commit()).code).toBe(0)
  })

  it('is nothing when it failed, and says why', async () => {
    const { reload, said, end } = held()
    const prepared = reload.prepare()
    await end(1, { code: 78, text: 'broken\n' })
    expect(await prepared).toEqual({ code: 78, text: 'broken\n' })
    await reload.abandon()
    expect(await reload.commit()).toEqual(nothing)
    expect(said).toEqual(['begin 1'])
  })
})
