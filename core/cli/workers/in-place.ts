import type { Outcome } from '../reloader.ts'
import type { Crew } from './crew.ts'
import type { Committed, Loaded } from './protocol.ts'
import { notReloaded } from './say.ts'
import type { WorkerProcess } from './worker-process.ts'

type Answer = Outcome | Loaded

/**
 * A reload in two steps: first all workers prepare, then all go over, or none. Who ends meanwhile is none of them; who
 * comes to serve meanwhile prepares behind the others.
 *
 * @param decided Is called when all have prepared, before the first one goes over.
 */
export async function changeInPlace(crew: Crew, decided: () => void): Promise<Committed> {
  // Each reads the files for itself, and somebody may write them at that moment.
  const first = await attempt(crew, decided)
  return (
    first ?? (await attempt(crew, decided)) ?? notReloaded('its files change while the workers load them')
  )
}

/** Null when the workers have not loaded the same, and have given it up. */
async function attempt(crew: Crew, decided: () => void): Promise<Committed | null> {
  const answers = await prepareAll(crew)
  const prepared = crew.serving.filter(worker => isLoaded(answers.get(worker)))
  const failure = crew.serving.map(worker => answers.get(worker)).find(isOutcome)
  const loads = new Set(prepared.map(worker => (answers.get(worker) as Loaded).fingerprint))
  if (failure === undefined && loads.size === 1) {
    decided()
    return await goOver(crew, prepared)
  }
  await Promise.all(prepared.map(worker => worker.abandon()))
  if (failure !== undefined) return failure
  return loads.size === 0 ? notReloaded('no worker serves any more') : null
}

async function prepareAll(crew: Crew): Promise<ReadonlyMap<WorkerProcess, Answer>> {
  const answers = new Map<WorkerProcess, Answer>()
  for (;;) {
    const others = crew.serving.filter(worker => !answers.has(worker))
    const hasFailed = crew.serving.some(worker => isOutcome(answers.get(worker)))
    if (others.length === 0 || hasFailed) return answers
    await Promise.all(others.map(async worker => answers.set(worker, await worker.prepare())))
  }
}

/** It is too late to go back: in the place of one that cannot go over comes another one, which has the new config. */
async function goOver(crew: Crew, workers: readonly WorkerProcess[]): Promise<Committed> {
  const ends = await Promise.all(workers.map(worker => worker.commit()))
  for (const [at, { code, text }] of ends.entries())
    if (code !== 0) crew.replaceOne(workers[at]!, `did not go over to the new config (${text.trim()})`)
  return ends.find(({ code }) => code === 0) ?? ends[0]!
}

const isOutcome = (answer: Answer | undefined): answer is Outcome => answer !== undefined && 'code' in answer
const isLoaded = (answer: Answer | undefined): answer is Loaded => answer !== undefined && !('code' in answer)
