import { once } from 'node:events'
import { setTimeout as later } from 'node:timers/promises'
import { connect } from 'node:tls'
import { makeCertificate } from '../support/certificate.ts'
import type { Child } from './child.ts'
import { BATCH } from './crowd.ts'
import { forgetPeak, peakOf } from './memory.ts'
import { Findings, type Report, rounded } from './report.ts'
import { startTlsCrowd, type TlsCrowdCalls, type TlsHabit } from './tls-crowd.ts'
import { startTlsTarget, type TlsServerCalls } from './tls-server.ts'

export interface TlsFloodSize {
  readonly count: number
  /** How long an honest client may wait for its page, in milliseconds, when half of them alone waited this long. */
  readonly allowed: (alone: number) => number
}

/** How long an honest client may wait, in milliseconds, whatever goes on. */
const PATIENCE = 2_000

/** `npm run hostile`. */
export const fullFlood: TlsFloodSize = { count: 10_000, allowed: () => PATIENCE }

/** In CI a machine may have other work, which makes 512 handshakes and the crowd's side of them slow. */
export const smallFlood: TlsFloodSize = { count: 2_000, allowed: alone => Math.max(PATIENCE, 400 * alone) }

/** Honest clients at the least, one after the other. */
const HONEST = 20
/** Milliseconds between two of them: they are not to be the flood. */
const SPACING = 20
/** What a client that has not yet shown any intention may cost the server, in bytes: a socket, and what it has said. */
const EACH_STALLED = 20_000

const what: Readonly<Record<TlsHabit, string>> = {
  stalled: 'stop in the middle of their hello',
  silent: 'say hello and not a word more',
  whole: 'shake hands at once',
}

/** So many clients of one habit begin in the same moment; honest ones must not notice. */
export async function tlsFlood(habit: TlsHabit, { count, allowed }: TlsFloodSize): Promise<Report> {
  const findings = new Findings(`${count} clients ${what[habit]}`)
  const pair = await makeCertificate()
  await using server = await startTlsTarget(pair)
  const port = await server.call.port()
  // The first ones make the compiler do its work.
  const alone = await honestOnes(port, pair.cert)
  const before = forgetPeak(server.pid)
  const crowd = await startTlsCrowd()
  try {
    const opened = await openAll(crowd, server, count, port)
    findings.note(`connections: ${opened}`)
    const flood = habit === 'whole' ? crowd.call.visit() : crowd.call.begin(habit).then(() => null)
    const during = await honestOnes(port, pair.cert, flood)
    judge(findings, { alone, during, allowed })
    if (habit === 'stalled')
      findings.atMost('RSS for each', (peakOf(server.pid) - before) / opened, EACH_STALLED, 'bytes')
    const served = await flood
    if (served !== null)
      findings.note(`of the crowd had a page: ${served}; honest clients meanwhile: ${during.length}`)
    findings.note(`longest stall of the server: ${rounded(await server.call.longestStall())} ms`)
  } finally {
    await crowd[Symbol.asyncDispose]()
  }
  const { errors } = await server.call.untilEmpty()
  findings.must(errors.length === 0, `reported: ${errors.join()}`)
  await honest(port, pair.cert)
  return findings
}

/** Connections are opened in parts, so that the kernel drops none, and stay silent until all are there. */
async function openAll(
  crowd: Child<TlsCrowdCalls>,
  server: Child<TlsServerCalls>,
  count: number,
  port: number,
): Promise<number> {
  let opened = 0
  for (let left = count; left > 0; left -= BATCH) {
    opened += await crowd.call.open(Math.min(left, BATCH), port)
    await server.call.untilOpened(opened)
  }
  return opened
}

interface Waits {
  readonly alone: readonly number[]
  readonly during: readonly number[]
  readonly allowed: TlsFloodSize['allowed']
}

function judge(findings: Findings, { alone, during, allowed }: Waits): void {
  const [before, now] = [median(alone), median(during)]
  findings.note(`honest clients waited ${rounded(before)} ms alone, ${rounded(now)} ms now`)
  findings.atMost('the longest wait of an honest client', Math.max(...during), allowed(before), 'ms')
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!

/** How long each of some honest clients waited, of as many as come until the flood is over. */
async function honestOnes(
  port: number,
  ca: string,
  flood: Promise<unknown> = Promise.resolve(),
): Promise<number[]> {
  const times: number[] = []
  let isOver = false
  const end = () => {
    isOver = true
  }
  flood.then(end, end)
  while (!isOver || times.length < HONEST) {
    times.push(await honest(port, ca))
    await later(SPACING)
  }
  return times
}

/** Connects, shakes hands, gets a page and leaves. Gives the milliseconds until the page was there. */
async function honest(port: number, ca: string): Promise<number> {
  const since = performance.now()
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
  await once(socket, 'secureConnect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [page] = (await once(socket, 'data')) as [Buffer]
  const took = performance.now() - since
  socket.destroy()
  if (!page.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(`not a page: ${page}`)
  return took
}
