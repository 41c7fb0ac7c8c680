import type { PluginEntry } from '../../plugin.ts'
import type { Case } from '../case.ts'
import { changes, snapshot } from '../globals.ts'
import { frozenCopy, plainCopy, sameValue } from '../plain.ts'
import type { TestServer } from '../test-server.ts'
import type { Trial } from '../trial.ts'

/** The taps of the tried plugin, in their order. */
async function tapsIn({ server }: TestServer, trial: Trial) {
  const { name } = (await trial.entry()).definition
  return server.generation.taps().filter(({ plugin }) => plugin === name)
}

/** What a plugin is called, what it is made from, and what it leaves alone. */
export const identity: readonly Case[] = [
  {
    id: 'labels',
    name: 'its taps are labelled with its name',
    async run(trial) {
      const { name } = (await trial.entry()).definition
      for (const tap of await tapsIn(await trial.serve(), trial)) {
        if (tap.name === name || tap.name.startsWith(`${name}:`)) continue
        trial.fault(
          `the ${tap.hook} tap is labelled "${tap.name}": "${name}", or "${name}:" and what it does, is found in listings`,
        )
      }
    },
  },
  {
    id: 'same-taps',
    name: 'it taps the same hooks in the same order each time',
    async run(trial) {
      const listed = async () => {
        const taps = await tapsIn(await trial.serve(), trial)
        return taps
          .map(({ hook, site, name, stage }) => `${hook} "${name}" at ${stage} (${site ?? 'server'})`)
          .join()
      }
      const first = await listed()
      for (let again = 0; again < 3; again++) {
        const next = await listed()
        if (next !== first) return trial.fault(`its taps were ${first}; then they were ${next}`)
      }
    },
  },
  {
    id: 'options',
    name: 'it takes frozen options, and leaves those that it is given as they are',
    async run(trial) {
      const { input } = await trial.entry()
      const before = plainCopy(input)
      const freeze = (entry: PluginEntry): PluginEntry => ({ ...entry, input: frozenCopy(entry.input) })
      await trial.transcript(await trial.serve({ change: freeze }))
      const keep = (entry: PluginEntry): PluginEntry => ({ ...entry, input })
      await trial.transcript(await trial.serve({ change: keep }))
      if (!sameValue(before, input)) trial.fault('it has changed the object that its user wrote as options')
    },
  },
  {
    id: 'globals',
    name: 'it changes nothing that belongs to the whole process',
    async run(trial) {
      const before = snapshot()
      const served = await trial.serve()
      await trial.transcript(served)
      await trial.stop(served)
      // What it changed in the cases before is the same again, and no news any more.
      for (const change of [...trial.earlierChanges, ...changes(before, snapshot())]) trial.fault(change)
    },
  },
  {
    id: 'quiet',
    name: 'it writes nothing to the console: report, log and its own files are there for that',
    async run(trial) {
      const served = await trial.serve()
      await trial.transcript(served)
      await trial.stop(served)
      for (const text of new Set(trial.watch.written))
        trial.fault(`it wrote ${JSON.stringify(text.slice(0, 200))}`)
    },
  },
]
