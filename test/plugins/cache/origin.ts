import {
  type CacheService,
  Handle,
  type HttpRequest,
  HttpResponse,
  type InjectedResponse,
  type InjectOptions,
  type Plugins,
  Slots,
} from 'rawhttp'
import { type CacheOptions, cache } from 'rawhttp/plugins/cache'
import { onTestFinished, vi } from 'vitest'
import { type InMemory, onSite, serve } from '../../support/in-memory.ts'

type Respond = (request: HttpRequest, run: number) => HttpResponse | Promise<HttpResponse>

/** A site with a cache before a handler that counts its runs. */
export interface Cached extends InMemory {
  /** How often the handler ran. */
  readonly runs: number
  readonly service: CacheService
  /** The Cache-Status of an answer without the name of the cache. */
  status(options?: InjectOptions | string): Promise<string>
}

/** A plugin that answers with a function, counting. */
export function origin(respond: Respond): { readonly plugin: Plugins[number]; readonly runs: () => number } {
  let runs = 0
  const plugin = onSite('origin', site => {
    site.hooks.handle.tapPromise({ name: 'origin', stage: Handle.Route }, async request =>
      respond(request, ++runs),
    )
  })
  return { plugin, runs: () => runs }
}

/** Serves a handler behind a cache until the test is over; other plugins stand between or before by their stages. */
export async function cached(
  respond: Respond,
  options?: CacheOptions,
  others: Plugins = [],
): Promise<Cached> {
  const { plugin, runs } = origin(respond)
  let service: CacheService | undefined
  const seeing = onSite('seeing', site => {
    service ??= site.get(Slots.cache)
  })
  const memory = await serve([cache(options), seeing, ...others, plugin])
  return {
    ...memory,
    get runs() {
      return runs()
    },
    service: service!,
    status: async asked => statusOf(await memory.ask(asked)),
  }
}

export const statusOf = (answer: InjectedResponse): string =>
  (answer.headers.get('cache-status') ?? '').replace(/^rawhttp; /, '')

/** Text with the number of the run, and fields. */
export const numbered =
  (fields: Readonly<Record<string, string>>, status = 200): Respond =>
  (_request, run) =>
    HttpResponse.text(`run ${run}`, { status, headers: fields })

/** A clock that stands still until it is moved, for the body of a test. Timers are not faked. */
export function stoppedClock(): { readonly move: (milliseconds: number) => void } {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
  onTestFinished(() => void vi.useRealTimers())
  return { move: milliseconds => void vi.setSystemTime(Date.now() + milliseconds) }
}
