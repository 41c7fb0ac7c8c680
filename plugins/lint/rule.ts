import type { Answer } from './answer.ts'

/** One thing that may be wrong with an answer. */
export interface Rule {
  /** What `ignore` names, and the code of its findings: `LINT_COOKIE_SHARED`. Several rows of one table may share it. */
  readonly id: string
  /** Where it is written: `RFC 9110 12.5.5`. */
  readonly section: string
  /** The field whose lines it looks at, one after the other; null: the answer as a whole, once. */
  readonly field: string | null
  /**
   * What is wrong, as a sentence; null: nothing. What it quotes of the answer is `printable`.
   *
   * @param value The line; empty for the answer as a whole.
   */
  readonly check: (answer: Answer, value: string) => string | null
}

/** One row for each of several fields. */
export const forEach = <T extends string>(fields: readonly T[], row: (field: T) => Rule): readonly Rule[] =>
  fields.map(row)
