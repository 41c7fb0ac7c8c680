import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, type Expected, expectAnswer, revalidationOf } from './check.ts'
import { send } from './client.ts'
import type { Contestant } from './contestants/contestant.ts'
import { type ConfigName, rawhttp } from './contestants/rawhttp.ts'
import { order } from './material.ts'
import type { ServerProcess } from './process.ts'
import { type Done, race, type Work } from './race.ts'
import type { Row, Settings } from './rows.ts'
import type { Target } from './targets.ts'
import { tempFolder } from './temp-folder.ts'

/** A row in which h2load sends one request again and again. */
export interface LoadRow {
  readonly id: string
  readonly title: string
  readonly path: string
  /** Text that every server answers. Default: the file of that path. */
  readonly text?: string
  readonly headers?: readonly string[]
  /** The coding in which those answer that are not asked otherwise. */
  readonly coding?: 'gzip'
  /** Asks whether the answer of before is still the same: 304. */
  readonly revalidates?: true
  /** Sends an order in JSON. */
  readonly uploads?: true
  /** Default: 64. */
  readonly connections?: number
  /** Requests at one time on each. Default: 1. */
  readonly pipelined?: number
  /** Requests as a multiple of the usual number. Default: 1. */
  readonly share?: number
  /** What a figure is given for, and how many a request has. Default: one request. */
  readonly per?: { readonly name: string; readonly count: number }
  /** Default: that of `npm start`. */
  readonly config?: ConfigName
  /** rawhttp again, asked with other field lines. */
  readonly also?: readonly { readonly name: string; readonly headers: readonly string[] }[]
  readonly peers: readonly Contestant[]
  readonly targets: readonly Target[]
}

/** Makes the row that a description stands for. */
export function loadRow(row: LoadRow): Row {
  const { id, title, targets, per = { name: 'request', count: 1 } } = row
  return {
    id,
    title,
    peers: [...(row.also ?? []), ...row.peers].map(({ name }) => name),
    targets,
    async measure(settings) {
      const found = await race(contestantsOf(row, settings), workOf(row, settings), settings)
      return { id, title, targets, unit: `µs CPU a ${per.name}`, ...found }
    },
  }
}

/** rawhttp, rawhttp at another commit, and what else there is. */
function contestantsOf({ config, also = [], peers }: LoadRow, { tree, against }: Settings): Contestant[] {
  const own = rawhttp(tree, config)
  const older = against === null ? [] : [rawhttp(against.tree, config, against.name)]
  return [own, ...older, ...also.map(changes => ({ ...own, ...changes })), ...peers]
}

function workOf(row: LoadRow, settings: Settings): Work {
  const { connections = 64, pipelined = 1, share = 1, per } = row
  return {
    count: settings.requests * share,
    least: connections * pipelined,
    weight: per?.count,
    prepare: (server, contestant) => prepare(row, settings, server, contestant),
  }
}

async function prepare(
  row: LoadRow,
  settings: Settings,
  { url }: ServerProcess,
  contestant: Contestant,
): Promise<(count: number) => Promise<Done>> {
  const target = url + (contestant.path ?? row.path)
  const { connections, pipelined } = row
  const lines = [...(contestant.headers ?? row.headers ?? []), ...(row.uploads ? [json] : [])]
  const status = row.revalidates && !contestant.isConstant ? 304 : 200
  const headers = contestant.isConstant ? lines : await checked(row, settings, target, contestant, lines)
  return async requests => {
    using upload = row.uploads ? uploadFile() : null
    const seen = await send(target, {
      requests,
      connections,
      pipelined,
      headers,
      status,
      upload: upload?.path,
    })
    if (seen.tls !== null && !seen.tls.startsWith('TLSv1.3'))
      throw new Error(`${contestant.name}: ${seen.tls}`)
    return seen
  }
}

const json = 'content-type: application/json'

/** Gives the field lines to send: those of the row, with the tag of this server if one is asked for. */
async function checked(
  row: LoadRow,
  { tree }: Settings,
  url: string,
  { name, headers }: Contestant,
  lines: readonly string[],
): Promise<readonly string[]> {
  const body = row.text === undefined ? readFileSync(join(tree.files, row.path)) : Buffer.from(row.text)
  const expected: Expected = { status: 200, body, coding: headers === undefined ? row.coding : undefined }
  const upload = row.uploads ? Buffer.from(order) : undefined
  const answer = await ask(url, { headers: lines, upload })
  expectAnswer(name, answer, expected)
  if (!row.revalidates) return lines
  const again = [...lines, revalidationOf(name, answer)]
  expectAnswer(name, await ask(url, { headers: again }), { status: 304, body: Buffer.alloc(0) })
  return again
}

function uploadFile(): Disposable & { readonly path: string } {
  const folder = tempFolder('upload')
  const path = join(folder.path, 'order.json')
  writeFileSync(path, order)
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}
