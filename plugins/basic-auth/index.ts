import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, definePlugin, Handle, type PluginSite, ROOT_SITE, readOptions } from 'rawhttp'
import { BasicGuard, callTurns, type Guard, hashTurns } from './guard.ts'
import { readPasswordFile } from './htpasswd.ts'
import { type BasicAuthOptions, type BasicAuthSettings, basicAuthOptions } from './schema.ts'
import { Users } from './users.ts'

export type { Guard } from './guard.ts'
export { hashPassword } from './hash.ts'
export type { BasicAuthOptions, Verify } from './schema.ts'

type Resolve = PluginSite['resolve']

/**
 * Asks for a name and a password (RFC 7617) before anything else answers, the cache included. The user is in
 * `Slots.user` afterwards. Without TLS everybody on the way can read the password.
 *
 * @example
 * plugins: [scope({ path: '/admin/*' }, [basicAuth({ realm: 'Admin', users: { ann: '$scrypt$ln=15,r=8,p=3$…' } })])]
 * @throws Error, when the config loads, for a password that is not hashed, and a hash or file that cannot be read.
 */
export const basicAuth = definePlugin({
  name: 'basic-auth',
  options: basicAuthOptions,
  site(site, settings) {
    // Refused messages reach no guard.
    if (site.name === ROOT_SITE) return
    const { guard, weak } = compile(settings, path => site.resolve(path))
    const { server } = site
    if (weak.length > 0) server.hooks.start.tap('basic-auth', () => warn(server.log, site.name, weak))
    site.hooks.handle.tapAsync({ name: 'basic-auth', stage: Handle.Guard }, (request, callback) => {
      const answer = guard(request)
      if (!(answer instanceof Promise)) return callback(null, answer)
      answer.then(
        later => callback(null, later),
        // To a callback `undefined` means that all is well, and a promise may be rejected with it.
        reason =>
          callback(reason instanceof Error ? reason : new Error(`verify failed with ${String(reason)}`)),
      )
      return undefined
    })
  },
})

/**
 * The same as a guard of a route. The file of `file` is read at once, its path is absolute.
 *
 * @example
 * const admins = basicAuthGuard({ realm: 'Admin', users: { ann: '$scrypt$ln=15,r=8,p=3$…' } })
 * router({ 'DELETE /users/:id': route({ guards: [admins] }, ({ params }) => remove(params.id)) })
 * @throws ConfigError for options that the plugin would refuse, too.
 */
export function basicAuthGuard(options: BasicAuthOptions): Guard {
  return compile(readOptions(basicAuthOptions, options, 'basicAuthGuard()'), absolute).guard
}

function compile({ realm, remember, source }: BasicAuthSettings, resolve: Resolve) {
  if (source.kind === 'verify') {
    const { verify } = source
    return { guard: guardOf(new BasicGuard({ realm, remember, verify, turns: callTurns() })), weak: [] }
  }
  const users = new Users(source.kind === 'users' ? source.users : readPasswordFile(resolve(source.file)))
  const verify = (user: string, password: string) => users.verify(user, password)
  return { guard: guardOf(new BasicGuard({ realm, remember, verify, turns: hashTurns })), weak: users.weak }
}

const guardOf =
  (basic: BasicGuard): Guard =>
  request =>
    basic.admit(request)

function absolute(path: string | URL): string {
  const file = path instanceof URL || path.startsWith('file:') ? fileURLToPath(path) : path
  if (isAbsolute(file)) return file
  const expected = 'an absolute path or a file: URL (a guard belongs to no folder)'
  throw new ConfigError({ path: 'basicAuthGuard().file', expected, received: `'${file}'` })
}

function warn(log: PluginSite['server']['log'], site: string, users: readonly string[]): void {
  const names = users.slice(0, 5).map(user => JSON.stringify(user))
  const more = users.length > names.length ? ` and ${users.length - names.length} more` : ''
  log.warn(
    `site "${site}": the passwords of ${names.join(', ')}${more} are stored as {SHA}, which is guessed by the billion a second`,
  )
}
