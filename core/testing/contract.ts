import type { CaseId } from './case.ts'
import { cases } from './cases/index.ts'
import { changes, snapshot } from './globals.ts'
import { type ContractOptions, settingsOf } from './options.ts'
import { ProcessWatch } from './process-watch.ts'
import { Resources } from './resources.ts'
import { nameOf, type Subject } from './subject.ts'
import { Trial } from './trial.ts'

/** One rule that a plugin has to keep. */
export interface ContractCase {
  /** What it is called in `except`. */
  readonly id: CaseId
  /** What is expected, in words: the name of a test. */
  readonly name: string
  /** Tries it. Cases that run at the same time would see each other's timers and globals: run one after the other. */
  run(): Promise<void>
}

/** Faults that the message of an error has; all of them are in `faults`. */
const SHOWN = 12

/** A plugin does not keep a rule of the contract. The message has every fault, a line each. */
export class ContractError extends Error {
  override readonly name = 'ContractError'
  readonly id: CaseId
  readonly faults: readonly string[]

  constructor(plugin: string, { id, name }: Pick<ContractCase, 'id' | 'name'>, faults: readonly string[]) {
    const shown = faults.slice(0, SHOWN).map(fault => `  - ${fault}`)
    if (faults.length > SHOWN) shown.push(`  - and ${faults.length - SHOWN} more`)
    super(`plugin "${plugin}" breaks the contract, ${id} (${name}):\n${shown.join('\n')}`)
    this.id = id
    this.faults = faults
  }
}

/**
 * What a plugin has to keep so that others can rely on it, as cases that any test runner can register. The cases of
 * `except` are left out.
 *
 * @param plugin Its factory, or the plugin with the options that it is tried with.
 * @throws TypeError for an option or a case in `except` that does not exist.
 *
 * @example
 * for (const { name, run } of contract(hello, { requests: ['/hello'] })) test(name, run)
 */
export function contract(plugin: Subject, options: ContractOptions = {}): readonly ContractCase[] {
  const settings = settingsOf(options)
  const changed: string[] = []
  return cases
    .filter(({ id }) => settings.except[id] === undefined)
    .map(each => ({ id: each.id, name: each.name, run: () => tryCase(each, plugin, settings, changed) }))
}

/**
 * Runs the whole contract, one case after the other.
 *
 * @throws AggregateError of a {@link ContractError} for each case that the plugin does not keep; its message has all.
 */
export async function testPlugin(plugin: Subject, options: ContractOptions = {}): Promise<void> {
  const failed: Error[] = []
  for (const { run } of contract(plugin, options)) await run().catch(error => void failed.push(error))
  if (failed.length === 0) return
  throw new AggregateError(failed, failed.map(({ message }) => message).join('\n'))
}

async function tryCase(
  each: (typeof cases)[number],
  plugin: Subject,
  settings: ReturnType<typeof settingsOf>,
  changed: string[],
): Promise<void> {
  const before = snapshot()
  const watch = new ProcessWatch()
  const failures: string[] = []
  await watch.during(async () => {
    // Behind the watch, whose own listeners are no news.
    const resources = new Resources()
    const trial = new Trial(plugin, settings, { watch, resources, earlierChanges: [...changed] })
    await resources.track(() => trial.run(() => each.run(trial)))
    failures.push(...trial.faults)
  })
  changed.push(...changes(before, snapshot()))
  const faults = [...new Set([...failures, ...watch.failures])]
  if (faults.length > 0) throw new ContractError(await nameOf(plugin), each, faults)
}
