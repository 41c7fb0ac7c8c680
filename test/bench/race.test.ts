import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Contestant, Stage } from './contestants/contestant.ts'
import { race, type Work } from './race.ts'
import type { Settings } from './rows.ts'

const settings: Settings = {
  rounds: 3,
  requests: 100,
  warmUp: 50,
  tree: { folder: '', files: '', env: {}, [Symbol.dispose]: () => undefined },
  against: null,
  servers: null,
  cert: '',
  key: '',
}

/** Servers that are no process of their own, and remember what they were told. */
function setup() {
  const asked: string[] = []
  const stages: Stage[] = []
  const contestant = (name: string, more: Partial<Contestant> = {}): Contestant => ({
    name,
    missing: () => null,
    async start(stage) {
      stages.push(stage)
      return {
        pid: process.pid,
        url: name,
        [Symbol.asyncDispose]: async () => void asked.push(`${name} ends`),
      }
    },
    ...more,
  })
  const work = (changes: Partial<Work> = {}): Work => ({
    count: 100,
    least: 2,
    prepare:
      async (_server, { name }) =>
      async count => {
        asked.push(`${name} ${count}`)
        return { total: 300, body: 200, perSecond: count, p99: 1 }
      },
    ...changes,
  })
  return { asked, stages, contestant, work }
}

const linux = test.runIf(process.platform === 'linux')

linux('the rounds go A B A B, after each had its warm-up', async () => {
  const { asked, contestant, work } = setup()
  const { entries } = await race([contestant('a'), contestant('b')], work(), settings)
  const rounds = Array.from({ length: 3 }, () => ['a 100', 'b 100']).flat()
  expect(asked).toEqual(['a 50', 'b 50', ...rounds, 'b ends', 'a ends'])
  expect(entries.map(({ name, samples }) => [name, samples.length])).toEqual([
    ['a', 3],
    ['b', 3],
  ])
})

linux('who is missing is noted, with the reason, and takes no part', async () => {
  const { contestant, work } = setup()
  const gone = contestant('b', { missing: () => 'This needs b.' })
  const { entries, missing } = await race([contestant('a'), gone], work(), settings)
  expect(entries.map(({ name }) => name)).toEqual(['a'])
  expect(missing).toEqual([{ name: 'b', why: 'This needs b.' }])
})

linux('a run may be asked for some servers only, by parts of their names', async () => {
  const { contestant, work } = setup()
  const all = ['rawhttp', 'nginx, no log', 'h2o'].map(name => contestant(name))
  const { entries, missing } = await race(all, work(), { ...settings, servers: ['nginx'] })
  expect(entries.map(({ name }) => name)).toEqual(['rawhttp', 'nginx, no log'])
  expect(missing).toEqual([{ name: 'h2o', why: 'This run was not asked for it.' }])
})

linux('constants are made as long as the answers of the first', async () => {
  const { contestant, stages, work } = setup()
  await race([contestant('a'), contestant('floor')], work(), settings)
  expect(stages.map(({ answer }) => answer)).toEqual([
    { total: 0, body: 0 },
    { total: 300, body: 200 },
  ])
})

linux('a share makes fewer requests, but never fewer than there are connections', async () => {
  const { contestant, work } = setup()
  const slow = [0.1, 0.001].map(share => contestant(`slow ${share}`, { share }))
  const { entries } = await race([contestant('a'), ...slow], work(), settings)
  expect(entries.map(({ requests }) => requests)).toEqual([100, 10, 2])
})

linux('the figure is CPU time by what a request counts for', async () => {
  const { contestant, work } = setup()
  const busy = work({
    weight: 10,
    prepare: async () => async () => {
      const { user } = process.cpuUsage()
      while (process.cpuUsage().user - user < 100_000);
      return {}
    },
  })
  const { entries } = await race([contestant('a')], busy, { ...settings, rounds: 1 })
  const [{ figure, user }] = entries[0]!.samples as [{ figure: number; user: number }]
  // 100 ms for 100 requests of 10: 100 µs each, as far as a clock of 10 ms can tell.
  expect(user).toBeGreaterThanOrEqual(80)
  expect(user).toBeLessThan(500)
  expect(figure).toBeGreaterThanOrEqual(user)
})

linux('an answer that fails ends the race, and all servers with it', async () => {
  const { asked, contestant, work } = setup()
  const failing = work({ prepare: async () => async () => Promise.reject(new Error('990 of 1000')) })
  await expect(race([contestant('a')], failing, settings)).rejects.toThrow('990 of 1000')
  expect(asked).toEqual(['a ends'])
})

linux('a server that is said to log, and does not log each request, ends the race', async () => {
  const { contestant, stages, work } = setup()
  const logged = (lines: number): Work =>
    work({
      prepare: async () => async () => {
        appendFileSync(join(stages.at(-1)!.folder, 'access.log'), 'a line\n'.repeat(lines))
        return {}
      },
    })
  const logs = contestant('a', { log: 'access.log' })
  await race([logs], logged(100), settings)
  await expect(race([logs], logged(50), settings)).rejects.toThrow('a has logged 200 lines of 300 requests.')
})
