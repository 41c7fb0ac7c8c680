import { ConfigError, Connect, definePlugin, type PluginServer, ROOT_SITE, slot } from 'rawhttp'
import { tlsOptions } from './options.ts'
import { tapHsts, tapMisdirected, tapRedirect } from './sites.ts'
import { openSources } from './sources.ts'
import { TlsTerminator } from './terminator.ts'

/** What makes TLS of a generation's streams. */
const Terminator = slot<TlsTerminator>('tls.terminator')

/**
 * Speaks TLS 1.2 and 1.3 on listeners with `tls: true`. Without options it makes a certificate for localhost and keeps
 * it; certificates that are files are read anew when they change, and connections never notice.
 *
 * Belongs to the root plugins: a listener is shared by all sites.
 *
 * @example
 * listen: [{ port: 80 }, { port: 443, tls: true }],
 * plugins: [tls({ cert: './fullchain.pem', key: './privkey.pem', redirect: true, hsts: true })]
 *
 * @throws ConfigError for a certificate or key that is missing, broken, or does not fit the other.
 */
export const tls = definePlugin({
  name: 'tls',
  options: tlsOptions,
  async server(server, settings) {
    if (server.get(Terminator) !== undefined) {
      throw new ConfigError({ problem: 'is there twice: one among the root plugins serves all sites' })
    }
    const terminator = new TlsTerminator(server, settings, await openSources(settings, server.resolve))
    server.set(Terminator, terminator)
    tapServer(server, terminator)
  },
  site(site, { redirect, hsts, clientCertificates }) {
    // What is refused has no handler to be kept from.
    if (site.name !== ROOT_SITE) {
      const terminator = site.server.get(Terminator)!
      const isStrict = clientCertificates?.required === true
      if (redirect !== false) tapRedirect(site, redirect === true ? 443 : redirect)
      if (isStrict || terminator.hasSeveral) tapMisdirected(site, () => terminator.table, isStrict)
    }
    if (hsts !== false) tapHsts(site, hsts)
  },
})

function tapServer({ hooks }: PluginServer, terminator: TlsTerminator): void {
  hooks.start.tapPromise('tls', () => terminator.start())
  hooks.connection.tap({ name: 'tls', stage: Connect.Secure }, (stream, info) =>
    info.wantsTls && info.tls === undefined ? terminator.take(stream, info) : undefined,
  )
  hooks.retire.tap('tls', () => terminator.rest())
  hooks.stop.tap('tls', () => terminator.rest())
}
