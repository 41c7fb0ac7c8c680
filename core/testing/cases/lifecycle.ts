import { definePlugin, type PluginItem } from '../../plugin.ts'
import { KIT } from '../answers.ts'
import { messageOf } from '../asking.ts'
import type { Case } from '../case.ts'
import { turns, within } from '../turns.ts'

/** A plugin that cannot start. */
export const failing: PluginItem = definePlugin({
  name: 'contract-failing',
  server: ({ hooks }) =>
    hooks.start.tap('contract-failing', () => {
      throw new Error('the kit lets this start fail')
    }),
})()

/** Tried before all others: where the plugin has started already, its first start cannot be looked at any more. */
export const secondStart: Case = {
  id: 'second-start',
  name: 'a second start, after a stop, is like the first',
  async run(trial) {
    const first = await trial.serve()
    const answers = await trial.transcript(first)
    await trial.stop(first)
    for (let round = 0; round < 2; round++) {
      const again = await trial.serve()
      trial.compare(
        answers,
        await trial.transcript(again),
        'in a server that starts after another has stopped',
      )
      await trial.stop(again)
    }
  },
}

/** How a plugin begins and ends. */
export const lifecycle: readonly Case[] = [
  {
    id: 'setup',
    name: 'its setup holds nothing open: that is what start is for',
    async run(trial) {
      await trial.serve()
      await turns(5)
      await trial.nothingOpen('server() and site() have run, and start has not')
    },
  },
  {
    id: 'start-stop',
    name: 'what it opens until the server stops is closed then',
    async run(trial) {
      const served = await trial.serve()
      await served.server.listen()
      await trial.transcript(served)
      await trial.stop(served)
      await trial.nothingOpen('the server has stopped')
    },
  },
  {
    id: 'two-servers',
    name: 'two servers side by side know nothing of each other',
    async run(trial) {
      const [one, other] = [await trial.serve(), await trial.serve()]
      const [first, second] = [await trial.transcript(one), await trial.transcript(one)]
      trial.compare(first, await trial.transcript(other), 'in a second server beside the first')
      await trial.stop(one)
      trial.compare(second, await trial.transcript(other), 'in a server beside one that was stopped')
    },
  },
  {
    id: 'failed-start',
    name: 'when another plugin cannot start, what it has opened is closed',
    async run(trial) {
      for (const parts of [{ before: [failing] }, { behind: [failing] }]) {
        const served = await trial.serve(parts)
        const outcome = await served.inject().then(
          () => 'started',
          () => 'failed',
        )
        if (outcome === 'started') trial.fault('the server has started though a plugin could not')
        await trial.stop(served)
        await trial.nothingOpen(`the start has failed ${parts.before ? 'before' : 'behind'} it`)
      }
    },
  },
  {
    id: 'stop-under-way',
    name: 'a stop lets answers end that are under way, and waits for nobody else',
    async run(trial) {
      const { patience } = trial.settings
      const [calm, hurried] = [await trial.serve(), await trial.serve()]
      const request = { url: `${KIT}/stream` }
      const usual = await trial.ask(hurried, request)
      // Only who listens announces a stop.
      await calm.server.listen()
      await using client = await trial.connect(calm)
      await using waiting = await trial.connect(hurried)
      client.send(messageOf(request, trial.settings))
      waiting.send(messageOf({ url: `${KIT}/wait` }, trial.settings))
      await turns(3)
      const stopped = calm.server.stop({ deadline: patience })
      const { status, body } = await trial.answer(client.response(), request)
      if (status !== usual.status || !body.equals(usual.body))
        trial.fault('a stop has changed an answer that was under way')
      client.end()
      await within(stopped, patience, 'the server does not stop, though all is answered')
      await trial.stop(hurried)
      await trial.nothingOpen('the servers have stopped with requests under way')
    },
  },
]
