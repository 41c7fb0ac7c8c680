import type { Trial } from './trial.ts'

/** The rules of the contract by the names that `except` knows. */
export const caseIds = [
  'second-start',
  'labels',
  'same-taps',
  'options',
  'globals',
  'quiet',
  'setup',
  'start-stop',
  'two-servers',
  'failed-start',
  'stop-under-way',
  'reload',
  'reload-options',
  'reload-growth',
  'retire',
  'failed-reload',
  'ended-generation',
  'split-bytes',
  'head',
  'not-modified',
  'shared-answers',
  'refused-messages',
  'hostile-input',
  'hook-throws',
  'errors-stay',
  'broken-body',
  'abort',
  'slow-reader',
  'body-limit',
  'forgets-requests',
  'time-jump',
] as const

/** The name of a rule in the contract. */
export type CaseId = (typeof caseIds)[number]

/** One rule, and how it is tried. */
export interface Case {
  readonly id: CaseId
  readonly name: string
  /** What is found goes to `trial.fault`; what it throws is a fault too. */
  run(trial: Trial): Promise<void>
}
