import type { Row, Table } from '../row.ts'
import { chunkExtensions } from './chunk-extensions.ts'
import { chunkedCoding } from './chunked.ts'
import { connection } from './connection.ts'
import { contentLength } from './content-length.ts'
import { disguises } from './disguises.ts'
import { expectation } from './expect.ts'
import { fields } from './fields.ts'
import { host } from './host.ts'
import { ranges } from './ranges.ts'
import { requestLine } from './request-line.ts'
import { semantics } from './semantics.ts'
import { target } from './target.ts'
import { trailers } from './trailers.ts'
import { transferEncoding } from './transfer-encoding.ts'
import { upgrade } from './upgrade.ts'

/** The conformance table, by topic. */
export const tables: readonly Table[] = [
  requestLine,
  target,
  fields,
  host,
  contentLength,
  transferEncoding,
  disguises,
  chunkedCoding,
  chunkExtensions,
  trailers,
  expectation,
  connection,
  semantics,
  ranges,
  upgrade,
]

export const allRows: readonly Row[] = tables.flatMap(({ rows }) => rows)

/** The rows of messages that are refused. */
export const refusedRows: readonly Row[] = allRows.filter(row => row.expect.refusal !== undefined)
