import type { Case } from '../case.ts'
import { turns } from '../turns.ts'

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
]
