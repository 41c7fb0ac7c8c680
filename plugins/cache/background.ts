import { HttpRequest, type HttpResponse, type PluginSite, type Sink } from 'rawhttp'
import { abandon } from './keeper.ts'
import type { KeptStore } from './kept.ts'
import { Visit, Visits } from './visit.ts'

/** Fields that speak of one message or one client's copy: the run for the store needs the whole answer. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'cache-control',
  'connection',
  'content-length',
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'pragma',
  'range',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Gives what has a stored answer made anew behind the back of the client that got it, one run at a time. */
export function refresher(site: PluginSite, kept: KeptStore) {
  return (request: HttpRequest, { key, variant }: Visit): void => {
    const { store } = kept
    const id = `${key}\n${store.get(key)?.selector(request) ?? ''}`
    if (variant === null || store.fillOf(id) !== undefined) return
    const again = backgroundRequest(request)
    const visit = new Visit(key)
    visit.status = 'updating'
    visit.forward = 'stale'
    visit.variant = variant
    visit.fill = store.lead(id, again)
    store.open(visit)
    again.set(Visits, visit)
    // The client that got the old answer does not wait for what a handler does at once.
    setImmediate(() => {
      if (kept.isCurrent) site.dispatch(again, new SilentSink())
      else abandon(visit, 'again')
    })
  }
}

/** A GET for what a request got, whose answer is wanted for the store alone. */
function backgroundRequest(request: HttpRequest): HttpRequest {
  const { target, scheme, host, client, version } = request
  const headers = [...request.headers].filter(([name]) => !NOT_PASSED_ON.has(name))
  // As sent, since what rewrites targets will see it again.
  return new HttpRequest({
    method: 'GET',
    target,
    scheme,
    authority: host,
    headers,
    client,
    protocol: version,
  })
}

/** Where an answer goes that nobody reads: it is cut off at its body. What the store reads of it does not end here. */
class SilentSink implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  readonly bytes = 0

  inform(): void {
    // There is no client to inform.
  }

  head(_head: HttpResponse, _length: number | null): void {
    this.onClose?.(null)
  }

  write(): boolean {
    return true
  }

  end(): void {
    // The exchange was over with the head.
  }

  reset(reason: Error): void {
    this.onClose?.(reason)
  }
}
