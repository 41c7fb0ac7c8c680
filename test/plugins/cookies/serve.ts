import { Handle, type HttpRequest, HttpResponse, type InjectedResponse, type Plugins } from 'rawhttp'
import { type CookiesOptions, cookies } from 'rawhttp/plugins/cookies'
import { type InMemory, onSite, serve } from '../../support/in-memory.ts'

/** Secrets of tests, the newest first. */
export const [NEW, OLD] = ['n'.repeat(32), 'o'.repeat(32)] as const

/** Runs a function for each request before it is answered, at some stage of `handle`. */
export const tapped = (stage: number, run: (request: HttpRequest) => HttpResponse | undefined) =>
  onSite(`tapped${-stage}`, site => site.hooks.handle.tap({ name: 'tapped', stage }, run))

/** Answers each request with what a handler gives, else with `ok`. */
export const handler = (run: (request: HttpRequest) => HttpResponse | string | undefined | void) =>
  onSite('handler', site =>
    site.hooks.handle.tap({ name: 'handler', stage: Handle.Route }, request => {
      const answer = run(request) ?? 'ok'
      return typeof answer === 'string' ? HttpResponse.text(answer) : answer
    }),
  )

/** A site with `cookies()` and a handler. */
export const withCookies = (
  run: Parameters<typeof handler>[0],
  options: CookiesOptions = { secrets: [NEW] },
  more: Plugins = [],
): Promise<InMemory> => serve([cookies(options), ...more, handler(run)])

/** The Set-Cookie lines of an answer. */
export const lines = (response: InjectedResponse): string[] => response.headers.getAll('set-cookie')

/** What a client sends back of the Set-Cookie lines of an answer. */
export const sentBack = (response: InjectedResponse): { cookie: string } => ({
  cookie: lines(response)
    .map(line => line.split(';', 1)[0])
    .join('; '),
})
