import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { makeCertificate } from '../support/certificate.ts'
import { readFlags, runBenchmark } from './command.ts'
import { cores, pinned } from './measure.ts'
import { startServer } from './process.ts'
import { spreadOf } from './stats.ts'
import { table } from './table.ts'

const usage = `node --conditions=rawhttp-source test/bench/tls.ts [--scale N]

How long an honest client waits behind 2,000 and 10,000 others that shake hands, or only begin to. What TLS costs is
in "npm run bench".

  --scale N       divides the number of the others (default 1)`

const { scale, wantsHelp } = readFlags({ scale: 1 })

await runBenchmark(usage, wantsHelp, run)

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rawhttp-bench-'))
  try {
    const { cert, key } = await makeCertificate()
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const files = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')]
    process.stdout.write(`${await floods(files)}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function crowd(url: string, count: number, how: string, atOnce: number) {
  const file = join(import.meta.dirname, 'tls-client.ts')
  const args = ['--url', url, '--count', String(count), '--how', how, '--at-once', String(atOnce)]
  return spawn(...pinned(cores.client, [process.execPath, file, ...args]), {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  })
}

/** How honest clients fare while many others shake hands with the same server. */
async function floods(files: readonly string[]): Promise<string> {
  const rows = [['an honest client is answered after, ms', 'best', 'median', 'worst']]
  for (const how of ['nobody', 'stalled', 'silent', 'whole']) {
    for (const count of how === 'nobody' ? [0] : [2_000 / scale, 10_000 / scale]) {
      process.stderr.write(`${count} ${how} ...\n`)
      const { median, min, max } = spreadOf(await flood(files, count, how))
      rows.push([`behind ${count} (${how})`, ...[min, median, max].map(each => each.toFixed(0))])
    }
  }
  const note = [
    'Ten honest clients, one after the other, from the moment on when all others were there.',
    'stalled: half a hello, then nothing. silent: a whole hello, then nothing. whole: handshakes, all at once.',
  ]
  return `${table(rows)}\n\n${note.join('\n')}`
}

async function flood(files: readonly string[], count: number, how: string): Promise<number[]> {
  await using server = await startServer('test/bench/servers/tls.ts', files)
  await honest(server.url)
  if (count === 0) return await honestOnes(server.url)
  const others = crowd(server.url, count, how, count)
  // Handshakes that end may all have ended, and their process with them, before the honest clients are served.
  const closed = once(others, 'close')
  // Those that never end say when they have begun; the others are met in the middle.
  if (how === 'whole') await new Promise(resolve => setTimeout(resolve, 500))
  else await once(others.stdout!, 'data')
  const took = await honestOnes(server.url)
  others.kill('SIGKILL')
  await closed
  return took
}

async function honestOnes(url: string): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < 10; i++) took.push(await honest(url))
  return took
}

async function honest(url: string): Promise<number> {
  const since = performance.now()
  const { hostname, port } = new URL(url)
  const socket = connect({
    host: hostname,
    port: Number(port),
    servername: 'localhost',
    rejectUnauthorized: false,
  })
  await once(socket, 'secureConnect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
  return performance.now() - since
}
