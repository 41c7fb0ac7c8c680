import { expected, isAddress, problemWithAddress } from 'rawhttp'
import * as v from 'valibot'

const address = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')

const isPort = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535
const isPath = (value: unknown) => typeof value === 'string' && value !== ''
const listener = v.custom<number | string>(
  value => isPort(value) || isPath(value),
  expected('a port such as 8443, or the path of a Unix socket'),
)

/** Options of the PROXY protocol. */
export interface ProxyProtocolOptions {
  /**
   * The proxies that send the header: addresses, networks (`10.0.0.0/8`), `loopback`, `private`, or `unix` for those who
   * come by a Unix socket. What they say is believed.
   */
  readonly from: readonly string[]
  /** Whether a connection of theirs without a header is reset. Default: true. */
  readonly required?: boolean | undefined
  /** The listeners that expect the header, by port or by path of the Unix socket. Default: all. */
  readonly listeners?: readonly (number | string)[] | undefined
}

const options = v.strictObject(
  {
    from: v.pipe(
      v.array(address, expected("a list of addresses such as ['10.0.0.0/8']")),
      v.minLength(1, 'expected the addresses of at least one proxy, got an empty list'),
    ),
    required: v.optional(v.boolean(expected('true or false')), true),
    listeners: v.optional(
      v.pipe(
        v.array(listener, expected('a list of ports or paths')),
        v.minLength(1, 'expected at least one listener, got an empty list'),
      ),
    ),
  },
  expected("options such as { from: ['10.0.0.0/8'] }"),
)

type Settings = v.InferOutput<typeof options>

// Lists are only read, and may be constants.
export const proxyProtocolOptions = options as unknown as v.GenericSchema<ProxyProtocolOptions, Settings>
