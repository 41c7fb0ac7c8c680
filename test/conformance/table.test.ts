import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Row } from './row.ts'
import { runRow } from './run-table.ts'
import { type Subject, startSubject } from './subject.ts'
import { allRows, tables } from './tables/index.ts'

let anyHost: Subject
let oneHost: Subject

beforeAll(async () => {
  anyHost = await startSubject(['*'])
  oneHost = await startSubject(['a'])
})

afterAll(async () => {
  await anyHost.test[Symbol.asyncDispose]()
  await oneHost.test[Symbol.asyncDispose]()
})

const subjectOf = ({ on }: Row): Subject => (on === 'one-host' ? oneHost : anyHost)

for (const { topic, rows } of tables) {
  describe(topic, () => {
    for (const row of rows)
      test(`${row.name} (${row.section}, ${row.level})`, () => runRow(row, subjectOf(row)))
  })
}

test('no two rows of a topic say the same', () => {
  for (const { topic, rows } of tables) {
    const names = rows.map(({ name }) => name)
    expect(names, topic).toEqual([...new Set(names)])
  }
})

test('the table has at least 950 rows', () => {
  expect(allRows.length).toBeGreaterThanOrEqual(950)
})
