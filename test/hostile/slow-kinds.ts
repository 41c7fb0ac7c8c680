import type { CrowdSettings, HabitName } from './crowd.ts'
import { IDLE, SILENT } from './ledger.ts'
import { kernelRoom } from './memory.ts'

/** A kind of slow clients. */
export type SlowKind = 'head' | 'body' | 'reader' | 'waiter'

/** Time-outs of the server, in milliseconds, all of them shorter than the attack would like. */
export const limits = {
  headTimeout: 3_000,
  bodyTimeout: 2_000,
  handlerTimeout: 2_500,
  writeTimeout: 3_000,
  idleTimeout: 3_500,
}

/** What ends a connection, and when: the last two are the body's grace and when it is looked at. */
export const deadlines: Readonly<Record<string, number>> = {
  'H1-HEAD-TIMEOUT': limits.headTimeout,
  [SILENT]: limits.headTimeout,
  [IDLE]: limits.idleTimeout,
  'limits.handlerTimeout': limits.handlerTimeout,
  'limits.bodyTimeout': limits.bodyTimeout,
  'limits.bodyMinRate': 5_000,
  'limits.writeTimeout': limits.writeTimeout,
}

/** How the clients of a kind behave, half of them each, and what must end them. */
const kinds: Readonly<Record<SlowKind, readonly (readonly [HabitName, string])[]>> = {
  head: [
    ['sends nothing', SILENT],
    ['trickles a head', 'H1-HEAD-TIMEOUT'],
  ],
  body: [
    ['stops in the body', 'limits.bodyTimeout'],
    ['trickles a body', 'limits.bodyMinRate'],
  ],
  reader: [['never reads', 'limits.writeTimeout']],
  waiter: [
    ['keeps alive', IDLE],
    ['waits for a handler', 'limits.handlerTimeout'],
  ],
}

export const habitsOf = (kind: SlowKind): string => kinds[kind].map(([habit]) => habit).join(', ')

/** Clients of one habit, and what must end them. */
export type Group = CrowdSettings & { readonly reason: string }

/** Who never reads fills the kernel's buffers, which all of the machine shares: the rest uses a Unix socket. */
export function groupsOf(kind: SlowKind, count: number, port: number, socket: string): Group[] {
  return kinds[kind].flatMap(([habit, reason]) => {
    const share = Math.ceil(count / kinds[kind].length)
    const overTcp = habit === 'never reads' ? Math.min(share, kernelRoom()) : share
    const group = (target: number | string, part: number) => ({ habit, reason, target, count: part })
    return [group(port, overTcp), group(socket, share - overTcp)].filter(({ count: some }) => some > 0)
  })
}
