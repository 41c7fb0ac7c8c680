import { Deliver, definePlugin, Handle, type HttpRequest, type PluginServer, ROOT_SITE, slot } from 'rawhttp'
import { beginAnew, type Cookies, deliver, type Instance, Jar } from './jar.ts'
import { type CookiesSettings, cookiesOptions } from './schema.ts'
import { readSecrets } from './secrets-file.ts'
import { Keyring } from './signature.ts'

export type { Cookies, SignedCookie } from './jar.ts'
export type { CookiesOptions } from './schema.ts'
export type { CookieOptions } from './set-cookie.ts'

/** Which instance a request belongs to: that of its scope, its site, or the root. */
const Instances = slot<Instance>('cookies.instance')
const Jars = slot<Jar>('cookies.jar')

/** Taps on `error` stand at 0 unless they say otherwise. */
const BEFORE_OTHERS = -1_000

/** The instances by the server as each of them sees it. */
const instances = new WeakMap<PluginServer, Instance>()

/**
 * Lets handlers set and sign cookies: {@link cookiesOf}. What was set goes out with whatever answer the request gets,
 * an error, a redirect or one from the cache among them.
 *
 * @example
 * plugins: [cookies({ secrets: [process.env.COOKIE_SECRET, process.env.OLD_COOKIE_SECRET].filter(Boolean) })]
 * @throws ConfigError for a secret of less than 32 bytes, and for a file that cannot be read.
 */
export const cookies = definePlugin({
  name: 'cookies',
  options: cookiesOptions,
  async server(server, settings) {
    instances.set(server, await instanceOf(server, settings))
  },
  site(site) {
    const instance = instances.get(site.server)!
    site.hooks.handle.tap({ name: 'cookies', stage: Handle.Prepare - 50 }, request => {
      request.set(Instances, instance)
      beginAnew(request)
    })
    site.hooks.error.tap({ name: 'cookies', stage: BEFORE_OTHERS }, (_error, request) => beginAnew(request))
    site.hooks.deliver.tap({ name: 'cookies', stage: Deliver.Last }, (response, request) => {
      if (request.get(Instances) === instance) deliver(request.get(Jars), request, response)
    })
    // A refused message meets no handle tap, but taps of others on deliver may set cookies for it.
    if (site.name === ROOT_SITE) {
      site.server.hooks.protocolError.tap('cookies', (_error, request) => {
        request.set(Instances, instance)
      })
    }
  },
})

/**
 * The cookies of a request: to read, to set, to sign. The same object for the same request.
 *
 * @example
 * 'POST /login': async ({ request, body }) => {
 *   const user = await check(await body.json())
 *   cookiesOf(request).setSigned('session', user.id, { maxAge: '7d' })
 *   return HttpResponse.redirect('/', 303)
 * }
 * @throws Error when no `cookies()` plugin serves the request.
 */
export function cookiesOf(request: HttpRequest): Cookies {
  const known = request.get(Jars)
  const instance = request.get(Instances)
  if (known !== undefined && known.instance === instance) return known
  if (instance === undefined) throw new Error(missing(request))
  const jar = new Jar(request, instance)
  request.set(Jars, jar)
  return jar
}

function missing({ site }: HttpRequest): string {
  return (
    `cookiesOf: no cookies() plugin serves this request of site "${site.name}": add one to the plugins of the site ` +
    "or of the config, outside scopes that leave the request out; before Handle.Prepare it isn't there yet"
  )
}

async function instanceOf(server: PluginServer, settings: CookiesSettings): Promise<Instance> {
  const { secrets, secretsFile, defaults } = settings
  const found = secretsFile === undefined ? secrets : await readSecrets(server.resolve(secretsFile))
  return { keyring: found === undefined ? null : new Keyring(found), defaults }
}
