import { parseArgs } from 'node:util'
import { connectionLimits } from './connection-limits.ts'
import { byteByByte, halfCloses, unreadBodies } from './conversations.ts'
import { headerFlood, pipelineFlood } from './floods.ts'
import { idleConnections } from './idle.ts'
import { Findings, isWell, type Report } from './report.ts'
import { resets } from './resets.ts'
import { inRounds } from './rounds.ts'
import { fullSlow, slowClients } from './slow.ts'
import { fullFlood, tlsFlood } from './tls.ts'
import { slowDownload, slowUpload } from './transfers.ts'

const scenarios: Readonly<Record<string, () => Promise<Report>>> = {
  'slow-heads': () => slowClients('head', fullSlow),
  'slow-bodies': () => slowClients('body', fullSlow),
  'slow-readers': () => slowClients('reader', fullSlow),
  waiters: () => slowClients('waiter', fullSlow),
  'connection-limits': () => connectionLimits(1_000),
  'header-flood': () => headerFlood(500),
  'pipeline-flood': () => pipelineFlood('/'),
  'pipeline-flood-100kb': () => pipelineFlood('/fresh'),
  'tls-stalled': () => tlsFlood('stalled', fullFlood),
  'tls-silent': () => tlsFlood('silent', fullFlood),
  'tls-whole': () => tlsFlood('whole', fullFlood),
  resets: () => resets(200),
  'half-close': halfCloses,
  'byte-by-byte': byteByByte,
  'unread-bodies': unreadBodies,
  upload: () => slowUpload(64),
  download: () => slowDownload(64),
  idle: () => idleConnections(10_000, 0.4),
}

const usage = `npm run hostile -- [SCENARIO ...]

Attacks a server of this checkout on loopback, and says what it costs it. A figure over its limit gets two more
rounds. Without names all of them, in this order:

  ${Object.keys(scenarios).join('\n  ')}`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false } },
})
const unknown = positionals.find(name => !(name in scenarios))

if (values.help || unknown !== undefined) {
  process.stderr.write(`${unknown === undefined ? '' : `There is no scenario ${unknown}.\n\n`}${usage}\n`)
  process.exitCode = values.help ? 0 : 2
} else if (process.platform !== 'linux') {
  process.stderr.write('This needs Linux: memory is read from /proc.\n')
  process.exitCode = 2
} else await run(positionals.length === 0 ? Object.keys(scenarios) : positionals)

async function run(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const report = await inRounds(() => scenarios[name]!().catch(error => broken(name, error)))
    if (!isWell(report)) process.exitCode = 1
  }
}

/** A scenario that could not be played to its end: most often, the server died. */
function broken(name: string, error: unknown): Report {
  const findings = new Findings(name)
  findings.must(false, error instanceof Error ? (error.stack ?? error.message) : String(error))
  return findings
}
