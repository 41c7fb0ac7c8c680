import type { Diagnostic } from 'rawhttp'
import { CertificateTable } from './certificate-table.ts'
import { type ClientAuthority, contextOf } from './contexts.ts'
import type { Pair } from './pair.ts'
import type { TicketKeys } from './ticket-keys.ts'
import type { Watched } from './watched.ts'

/** What the certificates of a server are made of. */
export interface StoreFacts {
  readonly pairs: readonly Watched<Pair>[]
  /** The issuers of clients' certificates; null when clients are not asked for any. */
  readonly ca: Watched<readonly string[]> | null
  readonly isClientRequired: boolean
  readonly report: (diagnostic: Diagnostic) => void
}

/** The certificates of one generation: what is used now, and how it changes. */
export class CertificateStore {
  readonly #facts: StoreFacts
  readonly #keys: TicketKeys
  #table: CertificateTable
  /** Those that the table was made with. */
  #usedKeys: Buffer

  constructor(facts: StoreFacts, keys: TicketKeys) {
    this.#facts = facts
    this.#keys = keys
    this.#usedKeys = keys.current
    this.#table = this.#build()
  }

  /** New ticket keys make another one; connections are not touched. */
  get table(): CertificateTable {
    if (this.#usedKeys !== this.#keys.current) this.#table = this.#build()
    return this.#table
  }

  /** The certificates that are used, in the order of the options. */
  get pairs(): readonly Pair[] {
    return this.#facts.pairs.map(({ value }) => value)
  }

  /** Looks at the files, and takes what is new. */
  async look(): Promise<void> {
    const { pairs, ca } = this.#facts
    const looks = [...pairs.map(pair => this.#lookAt(pair)), ...(ca === null ? [] : [this.#lookAt(ca)])]
    const isNew = (await Promise.all(looks)).includes(true)
    if (isNew) this.#table = this.#build()
  }

  async #lookAt(source: Watched<Pair> | Watched<readonly string[]>): Promise<boolean> {
    const found = await source.look()
    if (found === 'same') return false
    if (found === 'new') {
      this.#facts.report({ code: 'TLS_SWAPPED', message: swapped(source.value), severity: 'info' })
      return true
    }
    const message = `the old certificate is kept: ${found.message}`
    this.#facts.report({ code: 'TLS_KEPT', message, severity: 'error' })
    return false
  }

  #build(): CertificateTable {
    const { pairs, ca, isClientRequired } = this.#facts
    const clients: ClientAuthority | null = ca === null ? null : { ca: ca.value, required: isClientRequired }
    this.#usedKeys = this.#keys.current
    const facts = { clients, ticketKeys: this.#usedKeys }
    return new CertificateTable(pairs.map(({ value }) => ({ pair: value, context: contextOf(value, facts) })))
  }
}

function swapped(value: Pair | readonly string[]): string {
  if (!('leaf' in value)) return 'new issuers of client certificates are used'
  const until = value.leaf.validToDate.toISOString().slice(0, 10)
  return `a new certificate is used, valid until ${until}: ${value.place}`
}
