import type { Row, Step } from './row.ts'
import { allRows } from './tables/index.ts'

const sent = (step: Step): string =>
  typeof step === 'string' ? step : 'bytewise' in step ? step.bytewise : ''

/** What rows send. Floods are left out: a byte more or less in them changes nothing, and takes its time. */
const textsOf = (rows: readonly Row[]): string[] =>
  [...new Set(rows.map(({ send }) => send.map(sent).join('')))].filter(
    text => text.length > 0 && text.length < 600,
  )

/** All that the table sends. */
export const corpus: readonly string[] = textsOf(allRows)

// Most rows are refused, and stay so: valid ones come more often, so that enough mutations are accepted.
const valid = textsOf(allRows.filter(({ expect: { refusal } }) => refusal === undefined))

/** What mutations begin with. */
export const seeds: readonly string[] = [...corpus, ...valid, ...valid, ...valid]
