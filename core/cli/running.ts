import type { ListeningAddress } from '../server.ts'
import type { Outcome } from './reloader.ts'
import type { Stoppable } from './signals.ts'

/** Sites that are served: by this process, or by workers of it. */
export interface Running extends Stoppable {
  readonly addresses: readonly ListeningAddress[]
  /** Resolves with the exit code when it ends without being asked to. */
  readonly ended: Promise<number>
  /** Config, certificates, logs. It never rejects. */
  reload(): Promise<Outcome>
  /** Reloads at changes. Gives what ends it. */
  watch(): Promise<() => void>
}
