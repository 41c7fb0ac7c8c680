import { AddressList, Connect, type ConnectionInfo, definePlugin } from 'rawhttp'
import { Reader, VIA } from './reader.ts'
import { Reports } from './reports.ts'
import { proxyProtocolOptions } from './schema.ts'

export type { ProxyProtocolOptions } from './schema.ts'

/**
 * Reads the PROXY protocol, versions 1 and 2, that load balancers without HTTP send in front of a connection: who the
 * client is, before TLS and HTTP. There is no default for `from`: whoever may send the header may claim any address.
 *
 * Belongs to the root plugins: a listener is shared by all sites.
 *
 * @example
 * plugins: [proxyProtocol({ from: ['10.0.0.0/8'] }), tls({ cert, key })]
 */
export const proxyProtocol = definePlugin({
  name: 'proxy-protocol',
  options: proxyProtocolOptions,
  server(server, { from, required, listeners }) {
    const proxies = new AddressList(from)
    const reports = new Reports(diagnostic => server.report(diagnostic))
    const host = { server, isRequired: required, reports }
    const places = listeners?.map(place => (typeof place === 'number' ? place : server.resolve(place)))
    const isExpected = ({ local, listener }: ConnectionInfo): boolean =>
      places === undefined || places.includes(local.address === '' ? listener : local.port)
    server.hooks.connection.tap({ name: 'proxy-protocol', stage: Connect.Address }, (stream, info) => {
      // What a header has told does not tell who may send one.
      if (info.via.includes(VIA) || !proxies.has(info.client.address) || !isExpected(info)) return undefined
      return new Reader(stream, info, host)
    })
  },
})
