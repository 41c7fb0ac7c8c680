import type { MetricSample } from 'rawhttp'

/** Why a handshake came to nothing: few words, whatever clients do. */
export type Failure =
  /** OpenSSL, or the client's own alert, ended it: no version or cipher in common, a certificate it does not trust. */
  | 'handshake'
  /** It was no TLS: plain HTTP, or something else. */
  | 'not_tls'
  /** The client was gone before the end. */
  | 'left'
  /** It was late while others waited, or the server stopped or ran out of time. */
  | 'given_up'
  /** The client's certificate is missing or not accepted. */
  | 'client_certificate'

/** What became of handshakes, since the server was started and over all reloads. */
export class HandshakeCounts {
  readonly #done = new Map<string, { readonly labels: MetricSample['labels']; value: number }>()
  readonly #failed: Record<Failure, number> = {
    handshake: 0,
    not_tls: 0,
    left: 0,
    given_up: 0,
    client_certificate: 0,
  }

  /** @param protocol As Node names it: `TLSv1.3`. */
  done(protocol: string, isResumed: boolean): void {
    const key = `${protocol} ${isResumed}`
    const known = this.#done.get(key)
    if (known !== undefined) known.value++
    else this.#done.set(key, { labels: { protocol, resumed: String(isResumed) }, value: 1 })
  }

  failed(why: Failure): void {
    this.#failed[why]++
  }

  get samples(): MetricSample[] {
    return [...this.#done.values()]
  }

  get failures(): MetricSample[] {
    return Object.entries(this.#failed).map(([reason, value]) => ({ labels: { reason }, value }))
  }
}
