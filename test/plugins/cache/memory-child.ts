import {
  createServer,
  definePlugin,
  Handle,
  HttpRequest,
  HttpResponse,
  type HttpResponse as Response,
  type Sink,
  Slots,
} from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'

// Fills a store with random keys and says how much memory that took: `node --expose-gc memory-child.ts KEYS MAXSIZE`.

const [keys, maxSize] = process.argv.slice(2).map(Number) as [number, number]

/** A client that has the head written, as a transport does, and throws the rest away. */
class Nowhere implements Sink {
  onDrain: (() => void) | null = null
  onClose: ((reason: Error | null) => void) | null = null
  readonly bytes = 0
  inform(): void {}
  head(response: Response): void {
    response.block()
  }
  write(): boolean {
    return true
  }
  end(): void {
    this.onClose?.(null)
  }
  reset(reason: Error): void {
    this.onClose?.(reason)
  }
}

let seed = 1
const random = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed % below
}

const origin = definePlugin({
  name: 'origin',
  site(site) {
    site.hooks.handle.tap({ name: 'origin', stage: Handle.Route }, () =>
      HttpResponse.text('x'.repeat(random(4) === 0 ? random(5_000) : random(200)), {
        headers: { 'cache-control': 'max-age=600', etag: `"${random(1_000_000)}"`, vary: 'accept-language' },
      }),
    )
  },
})

let memory: (() => number) | null = null
const watch = definePlugin({
  name: 'watch',
  site(site) {
    memory ??= () => site.get(Slots.cache)!.stats.bytes
  },
})

const server = await createServer({ plugins: [cache({ maxSize, maxEntries: 1_000_000 }), watch(), origin()] })
await server.inject('/')

function used(): number {
  globalThis.gc!()
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function ask(target: string, language: string): void {
  const headers = { host: 'localhost', 'accept-language': language }
  server.dispatch(new HttpRequest({ method: 'GET', target, headers }), new Nowhere())
}

const before = used()
let most = 0
for (let i = 0; i < keys; i++) {
  const target = `/${random(2_000_000_000).toString(36)}/${'segment/'.repeat(random(8))}`
  const language = `${'en,'.repeat(random(5))}x-${random(9)}`
  ask(target, language)
  // A hit has its head written.
  ask(target, language)
  most = Math.max(most, memory!())
  if (i % 1_000 === 0) await new Promise(resolve => setImmediate(resolve))
}
process.stdout.write(JSON.stringify({ most, took: used() - before }))
await server.stop()
