import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { ConfigError, type ConfigProblem, sentenceOf } from './config/errors.ts'
import { show } from './config/show.ts'
import { didYouMean } from './config/suggest.ts'

/** What a word in a list of addresses stands for. A Unix socket has no address: who comes by one has the empty text. */
const words: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  // RFC 1918 section 3 and RFC 4193 section 3.1.
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  unix: [],
}

// IPv4 addresses as IPv6 writes them (RFC 4291 section 2.5.5.2), in any form.
const mapped = new BlockList()
mapped.addSubnet('::ffff:0:0', 96, 'ipv6')

const expected =
  "an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix'"

/**
 * Addresses and networks: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`, and the words `loopback`, `private` (RFC 1918 and
 * RFC 4193) and `unix` (whoever comes by a Unix socket). An IPv4 address is the same when it is written as an IPv6 one.
 */
export class AddressList {
  // Two lists: to a BlockList every IPv4 address is in the networks of IPv6 around ::ffff:0:0/96, such as ::/0.
  readonly #v4 = new BlockList()
  readonly #v6 = new BlockList()
  readonly #hasUnix: boolean

  /** @throws ConfigError for an entry that is none of these, with its place in `path`. */
  constructor(entries: readonly string[]) {
    for (const [index, entry] of entries.entries()) {
      const problem = problemWithEntry(entry)
      if (problem !== null) throw new ConfigError({ path: `[${index}]`, ...problem })
      for (const text of words[entry] ?? [entry]) this.#add(text)
    }
    this.#hasUnix = entries.includes('unix')
  }

  /** Whether an address is in the list, as `Peer` has it: empty for a Unix socket. */
  has(address: string): boolean {
    if (address === '') return this.#hasUnix
    return this.#listFor(address).check(address, familyOf(address))
  }

  #add(text: string): void {
    const [address = '', length] = text.split('/')
    const list = this.#listFor(address)
    if (length === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(length), familyOf(address))
  }

  #listFor(address: string): BlockList {
    return isIPv4(address) || mapped.check(address, 'ipv6') ? this.#v4 : this.#v6
  }
}

/**
 * What is wrong with an entry of an {@link AddressList}, in a sentence; null when it is good.
 *
 * @example In a schema of valibot
 * const address = v.custom<string>(isAddress, ({ input }) => problemWithAddress(input) ?? '')
 */
export function problemWithAddress(written: unknown): string | null {
  const problem = problemWithEntry(written)
  return problem === null ? null : sentenceOf(problem)
}

/** Whether a value can be an entry of an {@link AddressList}. */
export const isAddress = (written: unknown): written is string => problemWithEntry(written) === null

/** The same as {@link problemWithAddress}, in its parts. */
export function problemWithEntry(written: unknown): ConfigProblem | null {
  const fail = (hint?: string | null): ConfigProblem => ({
    expected,
    received: show(written),
    ...(hint ? { hint } : {}),
  })
  if (typeof written !== 'string') return fail()
  if (Object.hasOwn(words, written)) return null
  const [address = '', length, ...rest] = written.split('/')
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return fail(hintFor(written))
  if (length === undefined) return null
  const bits = isIPv4(address) ? 32 : 128
  const isLength = /^(?:0|[1-9]\d{0,2})$/.test(length) && Number(length) <= bits
  return isLength ? null : fail(`behind the slash stands a number of bits from 0 to ${bits}`)
}

function hintFor(written: string): string | null {
  if (written === '*') return 'list the addresses of your proxies: whoever is in the list is believed'
  if (written.includes('%')) return 'leave out the zone behind the percent sign'
  const inBrackets = /^\[([^\]]+)\](?::\d+)?$/.exec(written)?.[1]
  if (inBrackets !== undefined) return `write '${inBrackets}'`
  const beforePort = /^([^:]+):\d+$/.exec(written)?.[1]
  if (beforePort !== undefined && isIP(beforePort) > 0) return `write '${beforePort}': ports do not count`
  const meant = didYouMean(written, Object.keys(words))
  if (meant !== null) return meant
  return /[a-z]\.[a-z]/i.test(written) ? 'names are not looked up: write the address' : null
}

/**
 * An address in the one form that it has everywhere: IPv6 as RFC 5952 writes it, IPv4 also where it came as an IPv6
 * address. Null for what is no address, and for one with a zone, which means something to one machine only.
 */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || text.includes('%')) return null
  return withoutMapping(new SocketAddress({ address: text, family: 'ipv6' }).address)
}

/** The IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2): how sockets of both families show it. */
export const withoutMapping = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6')
