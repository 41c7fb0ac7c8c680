import { type Diagnostic, printable } from './errors.ts'
import type { Generation } from './generation.ts'
import type { ConnectionOwner } from './hooks.ts'
import { type ConnectionInfo, placeOf } from './listener.ts'
import type { HttpRequest } from './request.ts'
import type { Streams } from './streams.ts'
import { tapText } from './tap.ts'

/** Something that a client loses when it is cut. */
export interface Unfinished {
  /** Null for a request that came without a connection. */
  readonly info: ConnectionInfo | null
  /** Null while there is none yet. */
  readonly request: HttpRequest | null
  /** What was going on: `its handler was at work`. */
  readonly doing: string
  /** Since when, by the clock of deadlines. */
  readonly since: number
}

/** What is lost when all is cut: most of it connections know of, and the rest has none, or none any more. */
export function allUnfinished(streams: Streams, generations: readonly Generation[]): readonly Unfinished[] {
  const known = streams.unfinished()
  const requests = new Set(known.map(({ request }) => request))
  const atWork = generations.flatMap(each => each.atWork.all().map(({ unfinished }) => unfinished))
  return [...known, ...atWork.filter(({ request }) => !requests.has(request))]
}

/** What is cut at one time and named one by one; the rest is counted, so that a stop of thousands stays readable. */
const NAMED = 100

/** What a stop has cut, for the operator: who, what it was doing, how old it was. */
export function reportsOfCut(all: readonly Unfinished[], now: number): readonly Diagnostic[] {
  const reports = all.slice(0, NAMED).map(each => reportOf(each, now))
  const more = all.length - NAMED
  if (more > 0) reports.push(warning(`the stop cut ${more} more, which are not named`))
  return reports
}

function reportOf({ info, request, doing, since }: Unfinished, now: number): Diagnostic {
  const site = request?.currentSite?.name
  const where = site === undefined ? '' : ` (site "${site}")`
  const age = ((now - since) / 1_000).toFixed(1)
  const report = warning(`the stop cut ${clientOf(info)} after ${age} s: ${doing}${where}`)
  return request === null ? report : { ...report, site, request: request.summary }
}

const warning = (message: string): Diagnostic => ({ code: 'DRAIN_CUT', message, severity: 'warning' })

function clientOf(info: ConnectionInfo | null): string {
  if (info === null) return 'a request without a connection'
  const { client, listener } = info
  return client.address === '' ? `a client of ${listener}` : printable(placeOf(client.address, client.port))
}

export const HEAD_IN_PART = 'its head had come in part'
export const BEHIND_OTHERS = 'it waited for the answers before it'
export const ANSWER_IN_PART = 'its answer was not complete'
export const CLIENT_SLOW = 'its client was slow to take the answer'

/** Who had a stream that was handed over, if they have told. */
export function upgradedBy(owner: ConnectionOwner | null): string {
  return owner === null ? 'its stream was upgraded' : `its stream was upgraded, for "${owner.name}"`
}

/** What a request waits for whose answer has not begun. */
export function waitingFor({ bodyIfUsed, pendingTap }: HttpRequest): string {
  if (bodyIfUsed?.isWaiting === true) return 'its body was on its way'
  return pendingTap === null ? 'its handler was at work' : `${tapText(pendingTap)} was at work`
}
