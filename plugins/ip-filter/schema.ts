import { AddressList, expected, isAddress, problemWithAddress } from 'rawhttp'
import * as v from 'valibot'

/** Options of the filter. Entries are addresses, networks, and `loopback`, `private`, `unix`. */
export interface IpFilterOptions {
  /** Who may come: nobody else may. Default: everybody. */
  readonly allow?: readonly string[] | undefined
  /** Who may not come, also if {@link allow} has them. Default: nobody. */
  readonly deny?: readonly string[] | undefined
  /**
   * Whether whoever is refused is cut off when they connect, before TLS; only among the root plugins. It goes by the
   * address that connects: behind a proxy that is the proxy's. Default: false.
   */
  readonly connections?: boolean | undefined
}

/** What the options come to. */
export interface IpFilterSettings {
  readonly isRefused: (address: string) => boolean
  readonly connections: boolean
}

const entry = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')

const list = v.array(entry, expected("a list of addresses such as ['192.0.2.7', '10.0.0.0/8']"))

const options = v.pipe(
  v.strictObject(
    {
      allow: v.optional(
        v.pipe(list, v.minLength(1, 'is empty: nobody could come; leave it out to let everybody in')),
      ),
      deny: v.optional(list),
      connections: v.optional(v.boolean(expected('true or false')), false),
    },
    expected("options such as { allow: ['private'] }"),
  ),
  v.check(
    ({ allow, deny }) => allow !== undefined || deny !== undefined,
    'expected allow, deny or both: without them nobody is refused',
  ),
)

/** The schema of {@link IpFilterOptions}. */
export const ipFilterOptions: v.GenericSchema<IpFilterOptions, IpFilterSettings> = v.pipe(
  options,
  v.transform(({ allow, deny, connections }) => ({
    isRefused: refusal(allow === undefined ? null : new AddressList(allow), new AddressList(deny ?? [])),
    connections,
  })),
)

function refusal(allow: AddressList | null, deny: AddressList): (address: string) => boolean {
  return address => deny.has(address) || (allow !== null && !allow.has(address))
}
