import { Deliver, definePlugin, Handle, type HttpRequest, type PluginSite, ROOT_SITE, Slots } from 'rawhttp'
import { isSafe, type RequestIdSettings, requestIdOptions } from './schema.ts'

export type { RequestIdOptions } from './schema.ts'

/** Before whatever else prepares a request: its messages have the id already. */
const FIRST = Handle.Prepare - 10

/**
 * Gives every request an id: `Slots.requestId`, for logs, error pages and handlers, and a field of the answer, also of
 * errors and of messages that are refused. Among the root plugins it covers those, too.
 *
 * @example
 * plugins: [requestId({ trust: 'proxies' }), accessLog({ format: '{requestId} {line} {status}' })]
 */
export const requestId = definePlugin({
  name: 'request-id',
  options: requestIdOptions,
  site(site, settings) {
    const identify = (request: HttpRequest): string => {
      const known = request.get(Slots.requestId)
      if (known !== undefined) return known
      const id = incoming(request, settings) ?? settings.generate()
      request.set(Slots.requestId, id)
      return id
    }
    site.hooks.handle.tap({ name: 'request-id', stage: FIRST }, request => void identify(request))
    site.hooks.deliver.tap({ name: 'request-id', stage: Deliver.Headers }, (response, request) => {
      response.set(settings.header, identify(request))
    })
    if (site.name === ROOT_SITE) tapRefused(site, identify)
  },
})

/** No handler sees a refused message, and of some not even an answer is made. */
function tapRefused({ server, hooks }: PluginSite, identify: (request: HttpRequest) => string): void {
  server.hooks.protocolError.tap({ name: 'request-id', stage: FIRST }, (_error, request) => {
    identify(request)
    return undefined
  })
  hooks.done.tap({ name: 'request-id', stage: FIRST }, request => void identify(request))
}

/** The id that a trusted peer gave; null for one that could be mistaken for something else. */
function incoming(request: HttpRequest, { header, trusts }: RequestIdSettings): string | null {
  const [id, ...others] = request.headers.getAll(header)
  if (!isSafe(id) || others.length > 0) return null
  return trusts(request) ? id : null
}
