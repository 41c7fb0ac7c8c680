import { definePlugin, type PluginItem } from '../../plugin.ts'
import { Deliver, Handle, Transform } from '../../stages.ts'
import { KIT } from '../answers.ts'
import { ask } from '../asking.ts'
import type { Case } from '../case.ts'
import { comesTrue, within } from '../turns.ts'

interface Fuse {
  isLit: boolean
}

/** A hook, and where in its order the kit fails. */
const places = [
  ['handle', Handle.Prepare - 100],
  ['handle', Handle.Guard - 100],
  ['handle', Handle.Route - 100],
  ['transform', Transform.Shape - 100],
  ['transform', Transform.Store + 100],
  ['deliver', Deliver.Headers - 100],
  ['deliver', Deliver.Last + 100],
  ['error', -1_000],
  ['error', 1_000],
  ['done', -1_000],
  ['done', 1_000],
  ['report', -1_000],
] as const

type Tapping = (options: { name: string; stage: number }, fn: () => void) => void

/** A plugin that throws in a hook while the fuse is lit. */
function throwing([hook, stage]: (typeof places)[number], fuse: Fuse): PluginItem {
  const fail = () => {
    if (fuse.isLit) throw new Error('the kit throws in this hook')
  }
  const tap = (hooks: object) => {
    const { tap } = Reflect.get(hooks, hook) as { readonly tap: Tapping }
    tap({ name: 'contract-throwing', stage }, fail)
  }
  const name = 'contract-throwing'
  return hook === 'report'
    ? definePlugin({ name, server: ({ hooks }) => tap(hooks) })()
    : definePlugin({ name, site: ({ hooks }) => tap(hooks) })()
}

/** What becomes of the faults of others. */
export const faults: readonly Case[] = [
  {
    id: 'hook-throws',
    name: 'when another plugin throws, in whatever hook, it does its own part',
    async run(trial) {
      const usual = await trial.transcript(await trial.serve())
      for (const place of places) {
        const fuse: Fuse = { isLit: true }
        const served = await trial.serve({ before: [throwing(place, fuse)] })
        for (const request of trial.requests) await trial.ask(served, request)
        fuse.isLit = false
        const after = await trial.transcript(served)
        for (const [at, { status }] of after.entries()) {
          if (status !== usual[at]!.status)
            trial.fault(
              `after a throw in ${place[0]} (stage ${place[1]}) status ${status} comes for ${usual[at]!.status}`,
            )
        }
      }
    },
  },
  {
    id: 'errors-stay',
    name: 'what fails behind it is no success, and is reported',
    async run(trial) {
      const served = await trial.serve()
      const { kit } = trial
      const failed = await trial.ask(served, { url: `${KIT}/throw` })
      if (kit.counts.thrown > 0) {
        if (failed.status < 500) trial.fault(`a handler that has thrown is answered with ${failed.status}`)
        if (!served.reports.some(({ plugin }) => plugin === 'contract-kit'))
          trial.fault('that a handler has thrown is reported to nobody')
      }
      const { status } = await trial.ask(served, { url: `${KIT}/refuse` })
      if (status < 400)
        trial.fault(`a handler that has refused a request with 409 is answered with ${status}`)
    },
  },
  {
    id: 'broken-body',
    name: 'a body that breaks off does not look whole',
    async run(trial) {
      const served = await trial.serve()
      await using client = await trial.connect(served)
      const { patience } = trial.settings
      const answer = ask(client, { url: `${KIT}/broken` }, trial.settings).catch(() => null)
      const response = await within(answer, patience, 'a body that has broken off leaves its client waiting')
      if (trial.kit.counts.begun > 0 && response !== null && response.status < 400)
        trial.fault('a body that has broken off ends as if it was whole')
      const { counts } = trial.kit
      if (!(await comesTrue(() => counts.begun === counts.ended, patience)))
        trial.fault('the source of a body that has broken off is not ended')
    },
  },
]
