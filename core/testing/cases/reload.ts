import { KIT } from '../answers.ts'
import { messageOf } from '../asking.ts'
import type { Case } from '../case.ts'
import { Faces } from '../faces.ts'
import { collect } from '../garbage.ts'
import type { TestServer } from '../test-server.ts'
import type { Trial } from '../trial.ts'
import { comesTrue, turns } from '../turns.ts'
import { failing } from './lifecycle.ts'

/** Puts the same config in charge again, and waits until the generation before has ended. */
async function reload(trial: Trial, served: TestServer): Promise<void> {
  await served.reload(await trial.config())
  await oldEnded(trial, served)
}

async function oldEnded(trial: Trial, { server }: TestServer): Promise<void> {
  if (await comesTrue(() => server.stats.generations === 1, trial.settings.patience)) return
  trial.fault(
    'the generation before a reload does not end: its stop does not come to an end, or a request does not',
  )
}

/** What is open, once what comes and goes has gone: the least of what was seen for a while. */
async function restOf({ resources }: Trial): Promise<string[]> {
  let least = resources.open()
  for (let look = 0; look < 50 && least.length > 0; look++) {
    await turns(5)
    const now = resources.open()
    if (now.length < least.length) least = now
  }
  return least
}

/** Faults for what is open beyond `before`, unless it closes by itself. */
async function notGrown(trial: Trial, before: readonly string[], when: string, kinds = /^/): Promise<void> {
  const grown = () => trial.resources.grownSince(before).filter(each => kinds.test(each))
  if (await comesTrue(() => grown().length === 0, trial.settings.patience)) return
  for (const each of grown()) trial.fault(`${when}: ${each}`)
}

/** Whether more of these than `allowed` are still in memory, when all that nobody holds has been collected. */
async function heldOf(refs: readonly WeakRef<object>[], allowed: number): Promise<boolean> {
  for (let look = 0; look < 20; look++) {
    await turns(20)
    collect()
    if (refs.filter(ref => ref.deref() !== undefined).length <= allowed) return false
  }
  return true
}

/** How a plugin goes from one config to the next. */
export const reloads: readonly Case[] = [
  {
    id: 'reload',
    name: 'a reload changes no answer, and the old generation ends with its last request',
    async run(trial) {
      const served = await trial.serve()
      await trial.transcript(served)
      const before = await trial.transcript(served)
      await using client = await trial.connect(served)
      client.send(messageOf({ url: `${KIT}/wait` }, trial.settings))
      await turns(10)
      await served.reload(await trial.config())
      trial.compare(before, await trial.transcript(served), 'behind a reload')
      client.reset()
      await oldEnded(trial, served)
      trial.compare(before, await trial.transcript(served), 'when the old generation has ended')
    },
  },
  {
    id: 'reload-options',
    name: 'behind a reload with other options it answers by these',
    async run(trial) {
      const { other } = trial.settings
      if (other === null) return
      const served = await trial.serve()
      await trial.transcript(served)
      await served.reload(await trial.config({ subject: other }))
      await oldEnded(trial, served)
      const fresh = await trial.transcript(await trial.serve({ subject: other }))
      trial.compare(fresh, await trial.transcript(served), 'behind a reload to the other options')
    },
  },
  {
    id: 'reload-growth',
    name: 'one reload after the other leaves no more open, or in memory, than the first',
    async run(trial) {
      const served = await trial.serve()
      await trial.transcript(served)
      await reload(trial, served)
      const before = await restOf(trial)
      const replaced: WeakRef<object>[] = []
      for (let again = 0; again < 4; again++) {
        replaced.push(new WeakRef(served.server.generation))
        await trial.transcript(served)
        await reload(trial, served)
      }
      await notGrown(trial, before, 'with each reload there is more')
      // Requests hold theirs, and the last one may be in use.
      served.ended.length = 0
      if (await heldOf(replaced, 1))
        trial.fault(
          'generations that have ended are held in memory, with all their plugins, by something that outlives them',
        )
    },
  },
  {
    id: 'retire',
    name: 'timers and watchers of the old generation end at the swap, whatever it still answers',
    async run(trial) {
      const served = await trial.serve()
      await trial.transcript(served)
      await using client = await trial.connect(served)
      client.send(messageOf({ url: `${KIT}/wait` }, trial.settings))
      await turns(10)
      const before = await restOf(trial)
      await served.reload(await trial.config())
      await notGrown(trial, before, 'the old generation goes on beside the new one', /^a (timer|watcher)/)
      client.reset()
      await oldEnded(trial, served)
    },
  },
  {
    id: 'failed-reload',
    name: 'a reload that fails changes nothing',
    async run(trial) {
      const served = await trial.serve()
      await trial.transcript(served)
      const answers = await trial.transcript(served)
      const before = await restOf(trial)
      for (const parts of [{ before: [failing] }, { behind: [failing] }]) {
        const next = await trial.config(parts)
        const outcome = await served.reload(next).then(
          () => 'done',
          () => 'failed',
        )
        if (outcome === 'done') trial.fault('the reload has succeeded though a plugin could not start')
        trial.compare(answers, await trial.transcript(served), 'behind a reload that has failed')
      }
      await notGrown(trial, before, 'a reload that has failed leaves open')
    },
  },
  {
    id: 'ended-generation',
    name: 'nothing of it works on with a generation that has ended',
    async run(trial) {
      const faces = new Faces()
      const change = faces.around
      const served = await trial.serve({ change })
      await trial.transcript(served)
      await served.reload(await trial.config({ change }))
      await oldEnded(trial, served)
      await turns(20)
      faces.end(0)
      await trial.transcript(served)
      for (const use of faces.late) trial.fault(use)
    },
  },
]
