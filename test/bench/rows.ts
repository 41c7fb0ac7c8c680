import type { Contestant, Stage } from './contestants/contestant.ts'
import type { RowResult } from './result.ts'
import type { Target } from './targets.ts'
import type { Tree } from './tree.ts'

/** How one run measures. */
export interface Settings {
  readonly rounds: number
  /** Of one server in one round; rows count them in parts or multiples. */
  readonly requests: number
  /** Requests to each server before the first round; rows count them in the same parts. */
  readonly warmUp: number
  readonly tree: Tree
  /** An older commit beside it, by what git calls it. */
  readonly against: { readonly name: string; readonly tree: Tree } | null
  /** Parts of the names of servers to measure beside rawhttp; null for all. */
  readonly servers: readonly string[] | null
  /** Certificate and key, as files. */
  readonly cert: string
  readonly key: string
}

/** One question to all servers. */
export interface Row {
  readonly id: string
  readonly title: string
  /** The names of those that rawhttp is compared with. */
  readonly peers: readonly string[]
  readonly targets: readonly Target[]
  measure(settings: Settings): Promise<RowResult>
}

/** Those that take part, and why the others do not. */
export function whoIsThere(
  contestants: readonly Contestant[],
  { servers }: Settings,
): [Contestant[], { readonly name: string; readonly why: string }[]] {
  const there: Contestant[] = []
  const missing = []
  for (const contestant of contestants) {
    const isWanted = servers === null || ['rawhttp', ...servers].some(part => contestant.name.includes(part))
    const why = isWanted ? contestant.missing() : 'This run was not asked for it.'
    if (why === null) there.push(contestant)
    else missing.push({ name: contestant.name, why })
  }
  return [there, missing]
}

/** What a server of a row is given before anybody knows how long rawhttp's answers are. */
export const stageOf = (
  { tree, cert, key }: Settings,
  folder: string,
  answer: Stage['answer'] = { total: 0, body: 0 },
): Stage => ({ files: tree.files, folder, cert, key, answer })
