import type { SecureContext } from 'node:tls'
import type { Pair } from './pair.ts'

/** A certificate, ready to be used. */
export interface Certificate {
  readonly pair: Pair
  readonly context: SecureContext
}

/** Which certificate a client gets: by the exact name, by a wildcard for its first label, else the first one. */
export class CertificateTable {
  readonly first: Certificate
  readonly #byName = new Map<string, Certificate>()

  /** @param certificates At least one. Where two have one name, the earlier gets it. */
  constructor(certificates: readonly Certificate[]) {
    this.first = certificates[0]!
    for (const certificate of certificates) {
      for (const name of certificate.pair.names) {
        if (!this.#byName.has(name)) this.#byName.set(name, certificate)
      }
    }
  }

  /** @param name A host as a client writes it, or undefined when it named none. */
  select(name: string | undefined): Certificate {
    if (name === undefined) return this.first
    const host = canonical(name)
    return this.#byName.get(host) ?? this.#byName.get(wildcardFor(host)) ?? this.first
  }
}

function canonical(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

/** A wildcard stands for exactly one label (RFC 9525 section 6.3); a name of one label has none. */
function wildcardFor(host: string): string {
  const dot = host.indexOf('.')
  return dot === -1 ? host : `*${host.slice(dot)}`
}
