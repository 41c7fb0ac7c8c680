/** The groups of an IPv6 address that a number of bits covers, as text: `2001:db8:0:7` of `2001:db8:0:7::1` for 64. */
function networkOf(address: string, bits: number): string {
  const [head = '', tail] = address.replace(/%.*/, '').toLowerCase().split('::')
  const before = groupsOf(head)
  const behind = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array<number>(Math.max(0, 8 - before.length - behind.length)).fill(0)
  const groups = [...before, ...zeros, ...behind].slice(0, Math.ceil(bits / 16))
  const rest = bits % 16
  if (rest > 0) groups[groups.length - 1]! &= 0xffff << (16 - rest)
  return groups.map(group => group.toString(16)).join(':')
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

/** IPv4 in the form of IPv6 (RFC 4291 section 2.5.5.2). */
const MAPPED = /^::ffff:(?=\d+\.)/i

/**
 * What an address counts as. A host has a whole network of IPv6 at its disposal, usually 64 bits of addresses
 * (RFC 6177): only the network tells clients apart.
 */
export function clientKey(address: string, ipv6Prefix: number): string {
  if (!address.includes(':')) return address
  const plain = address.replace(MAPPED, '')
  return plain.includes(':') ? networkOf(plain, ipv6Prefix) : plain
}
