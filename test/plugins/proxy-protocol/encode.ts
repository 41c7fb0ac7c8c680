import proxyProtocolJs from 'proxy-protocol-js'

const {
  Command,
  INETProtocol,
  IPv4Address,
  IPv4ProxyAddress,
  IPv6Address,
  IPv6ProxyAddress,
  Peer,
  TransportProtocol,
  UnixAddress,
  UnixProxyAddress,
  UnspecProxyAddress,
  V1BinaryProxyProtocol,
  V2ProxyProtocol,
} = proxyProtocolJs

// Headers as another implementation writes them.

/** An address, by its bytes. */
export interface End {
  readonly bytes: readonly number[]
  readonly port: number
}

/** How an address is written: IPv6 in full. */
export const textOf = (bytes: readonly number[]): string =>
  bytes.length === 4
    ? bytes.join('.')
    : Buffer.from(bytes)
        .toString('hex')
        .replace(/.{4}(?!$)/g, '$&:')

/** A line of version 1 in front of some bytes. */
export function version1(from: End, to: End, rest = ''): Buffer {
  const protocol = from.bytes.length === 4 ? INETProtocol.TCP4 : INETProtocol.TCP6
  const peers = [from, to].map(({ bytes, port }) => new Peer(textOf(bytes), port))
  return Buffer.from(new V1BinaryProxyProtocol(protocol, peers[0]!, peers[1]!, Buffer.from(rest)).build())
}

/** What version 2 tells of. */
export type Told = { readonly from: End; readonly to: End } | 'unix' | 'unspec'

interface Version2 {
  readonly command?: 'PROXY' | 'LOCAL'
  readonly transport?: 'UNSPEC' | 'STREAM' | 'DGRAM'
  /** Bytes behind the addresses that the header counts as its own. */
  readonly more?: Uint8Array
  readonly rest?: string
}

/** A header of version 2 in front of some bytes. */
export function version2(told: Told, options: Version2 = {}): Buffer {
  const { command = 'PROXY', transport = 'STREAM', more = new Uint8Array(), rest = '' } = options
  const { [command]: by } = Command
  const header = Buffer.from(new V2ProxyProtocol(by, TransportProtocol[transport], addressOf(told)).build())
  header.writeUInt16BE(header.readUInt16BE(14) + more.length, 14)
  return Buffer.concat([header, more, Buffer.from(rest)])
}

function addressOf(told: Told) {
  if (told === 'unspec') return new UnspecProxyAddress()
  if (told === 'unix') return new UnixProxyAddress(unix('/a'), unix('/b'))
  const { from, to } = told
  if (from.bytes.length === 4)
    return new IPv4ProxyAddress(
      IPv4Address.createFrom([...from.bytes]),
      from.port,
      IPv4Address.createFrom([...to.bytes]),
      to.port,
    )
  return new IPv6ProxyAddress(
    IPv6Address.createFrom([...from.bytes]),
    from.port,
    IPv6Address.createFrom([...to.bytes]),
    to.port,
  )
}

const unix = (path: string) => UnixAddress.createFrom([...Buffer.alloc(108).fill(path, 0, path.length)])
