import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Contestant } from './contestants/contestant.ts'
import { rawhttp } from './contestants/rawhttp.ts'
import { cores, pinned } from './measure.ts'
import { race, type Work } from './race.ts'
import type { Row } from './rows.ts'
import type { Target } from './targets.ts'

const titles = {
  whole: 'TLS handshake, full, and 1 kB',
  resumed: 'TLS handshake, resumed, and 1 kB',
}

/** A row in which each request has a connection of its own. */
export function handshakeRow(
  how: keyof typeof titles,
  peers: readonly Contestant[],
  targets: readonly Target[],
): Row {
  const id = `handshake-${how}`
  const title = titles[how]
  return {
    id,
    title,
    peers: peers.map(({ name }) => name),
    targets,
    async measure(settings) {
      const { tree, against, requests } = settings
      const older = against === null ? [] : [rawhttp(against.tree, 'tls', against.name)]
      const contestants = [rawhttp(tree, 'tls'), ...older, ...peers]
      const found = await race(contestants, workOf(how, requests / 100), settings)
      return { id, title, targets, unit: 'µs CPU a handshake', ...found }
    },
  }
}

const workOf = (how: string, count: number): Work => ({
  count,
  least: atOnce,
  prepare: async server => async count => {
    const start = performance.now()
    const stdout = await shake(`${server.url}/1kb.html`, count, how)
    return { perSecond: (count / (performance.now() - start)) * 1_000, ...(JSON.parse(stdout) as object) }
  },
})

const atOnce = 16

/** The client is a program of our own: h2load cannot resume. It fails when an answer is missing. */
async function shake(url: string, count: number, how: string): Promise<string> {
  const file = join(import.meta.dirname, 'tls-client.ts')
  const options = ['--url', url, '--count', String(count), '--how', how, '--at-once', String(atOnce)]
  const { stdout } = await promisify(execFile)(
    ...pinned(cores.client, [process.execPath, file, ...options]),
    { timeout: 600_000 },
  )
  return stdout
}
