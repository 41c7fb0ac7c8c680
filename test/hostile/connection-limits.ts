import { ADDRESSES, BATCH, startCrowd } from './crowd.ts'
import { mustLive } from './floods.ts'
import { Findings, type Report } from './report.ts'
import { startTarget } from './server.ts'

type Limits = { readonly maxConnections: number } | { readonly connectionsPerClient: number }

/** Crowds of more connections than there may be, of all clients and of one. */
export async function connectionLimits(count: number): Promise<Report> {
  const findings = new Findings(`${count} connections against limits of connections`)
  const each = Math.floor(count / ADDRESSES / 4)
  await crowdAgainst({ connectionsPerClient: each }, count, each * ADDRESSES, findings)
  const most = Math.floor(count / 4)
  await crowdAgainst({ maxConnections: most }, count, most, findings)
  return findings
}

async function crowdAgainst(
  limits: Limits,
  count: number,
  allowed: number,
  findings: Findings,
): Promise<void> {
  const name = Object.entries(limits).join(' ')
  await using server = await startTarget({ limits })
  const crowd = await startCrowd()
  const target = await server.call.port()
  let tried = 0
  try {
    while (tried < count) {
      tried += await crowd.call.open({ habit: 'keeps alive', count: Math.min(count - tried, BATCH), target })
      await server.call.untilTried(tried)
    }
    const { open, turnedAway } = await server.call.seen()
    findings.note(`${name}: ${open} are open, ${turnedAway} were turned away`)
    findings.must(open === allowed, `${name}: ${open} connections are open, ${allowed} may be`)
    findings.must(turnedAway === tried - allowed, `${name}: ${turnedAway} of ${tried} were turned away`)
    // Another address is another client.
    if ('connectionsPerClient' in limits) await mustLive(server, findings)
  } finally {
    await crowd[Symbol.asyncDispose]()
  }
  await server.call.untilClosed(allowed)
  await mustLive(server, findings)
}
