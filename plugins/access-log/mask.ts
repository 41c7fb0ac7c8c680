import { isIP, isIPv4 } from 'node:net'

/** What of a line is hidden. */
export interface MaskSettings {
  /** Whether addresses are shortened to their network. */
  readonly addresses: boolean
  /** Whose values in a query are hidden: nobody's, those of secrets, those of secrets and of these names, or all. */
  readonly query: false | 'secrets' | 'all' | readonly string[]
  /** Whether the values of cookies, credentials and keys in header fields are hidden. */
  readonly credentials: boolean
}

/** The masks of one log. Each gives the text as it may be written. */
export interface Masks {
  address(address: string): string
  /** A request target or a URL. */
  url(url: string): string
  /** The mask for a header field; null for one that is written as it came. */
  field(name: string): ((value: string) => string) | null
}

/** What stands in the place of a hidden value. */
const HIDDEN = '***'

/** Names whose value gives access to something: those that have this in any place, and those that are this. */
const PART =
  'token|passw|pass.?phrase|pwd|secret|(?:api|access|private).?key|signature|sess(?:ion|id)|jwt|credential|authori[sz]|assertion'
const WHOLE = 'auth|code|key|otp|pass|pin|sid|sig|samlresponse|ticket'
const SECRET = new RegExp(`${PART}|^(?:${WHOLE})$`, 'i')
/** What a URL has that may hold such a name; an escape may be a letter of it. Most URLs need no closer look. */
const SUSPECT = new RegExp(`[%+]|${PART}|[?&#](?:${WHOLE})=`, 'i')

const CREDENTIALS = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])
const URLS = new Set(['referer', 'location', 'content-location', 'x-original-url', 'x-forwarded-uri'])
const ADDRESSES = new Set(['forwarded', 'x-forwarded-for', 'x-real-ip', 'true-client-ip', 'cf-connecting-ip'])

/** Makes the masks of a log. */
export function masksOf({ addresses, query, credentials }: MaskSettings): Masks {
  const rule = ruleOf(query)
  const url = (text: string) => maskUrl(text, rule)
  return {
    address: addresses ? maskAddress : shown,
    url,
    field(name) {
      if (credentials && isCredential(name)) return value => maskCredential(name, value)
      if (addresses && ADDRESSES.has(name)) return maskAddresses
      return URLS.has(name) ? url : null
    },
  }
}

const shown = (text: string): string => text

/** Whose values are hidden. */
interface QueryRule {
  /** What a URL has in which anything is hidden; null when every one needs a closer look. */
  readonly suspect: RegExp | null
  isHidden(name: string): boolean
}

function ruleOf(query: MaskSettings['query']): QueryRule | null {
  if (query === false) return null
  if (query === 'all') return { suspect: null, isHidden: () => true }
  if (query === 'secrets') return { suspect: SUSPECT, isHidden: name => SECRET.test(name) }
  const more = new Set(query.map(name => name.toLowerCase()))
  return { suspect: null, isHidden: name => more.has(name.toLowerCase()) || SECRET.test(name) }
}

function isCredential(name: string): boolean {
  return CREDENTIALS.has(name) || SECRET.test(name.replace(/^x-/, ''))
}

function maskUrl(url: string, rule: QueryRule | null): string {
  const safe = url.includes('@') ? withoutPassword(url) : url
  if (rule === null || !safe.includes('=') || rule.suspect?.test(safe) === false) return safe
  const start = safe.search(/[?#]/) + 1
  return start === 0 ? safe : safe.slice(0, start) + maskQuery(safe.slice(start), rule)
}

// RFC 3986 section 3.2.1: an authority may carry a user and a password.
function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:\/\/)[^/?#]*@/i, `$1${HIDDEN}@`)
}

/** Split, not matched: on a long query without `=` an expression would try every place. A fragment is a query, too. */
function maskQuery(query: string, { isHidden }: QueryRule): string {
  const parts = query.split(/([&#])/)
  const isPair = (part: string) => part.includes('=')
  return parts.map(part => (isPair(part) && isHidden(nameOf(part)) ? maskPair(part) : part)).join('')
}

/** The name of a pair as a server reads it. */
function nameOf(pair: string): string {
  const name = pair.slice(0, pair.indexOf('='))
  return /[%+]/.test(name) ? (new URLSearchParams(`${name}=`).keys().next().value ?? name) : name
}

function maskPair(pair: string): string {
  return pair.slice(0, pair.indexOf('=') + 1) + HIDDEN
}

function maskCredential(name: string, value: string): string {
  if (name === 'cookie') return value.split(';').map(maskPair).join(';')
  if (name === 'set-cookie') return value.replace(/^[^;]*/, maskPair)
  // The scheme tells how the client tried: `Bearer ***`.
  const scheme = name.endsWith('authorization') ? /^[\w-]+ /.exec(value) : null
  return `${scheme?.[0] ?? ''}${HIDDEN}`
}

/** The network of an address: the first 24 bits of IPv4, 48 of IPv6. What is no address is not shown. */
function maskAddress(address: string): string {
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf('.'))}.0`
  if (isIP(address) === 0) return ''
  const mapped = /^(::ffff:)([\d.]+)$/i.exec(address)
  if (mapped !== null && isIPv4(mapped[2]!)) return `${mapped[1]}${maskAddress(mapped[2]!)}`
  const [first = ''] = shortest(address.replace(/%.*/, '')).split('::')
  const groups = first === '' ? [] : first.split(':')
  return shortest(`${[...groups, '0', '0', '0'].slice(0, 3).join(':')}::`)
}

/** An IPv6 address in the one form of RFC 5952, which the URL parser knows. */
function shortest(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

/** All addresses in a list such as X-Forwarded-For or Forwarded, with or without ports. */
function maskAddresses(list: string): string {
  return list.replace(/[\da-f.:]+/gi, word => {
    const [, address, port = ''] = /^(.*?\..*?)(:\d+)?$/.exec(word) ?? [word, word]
    return isIP(address!) === 0 ? word : `${maskAddress(address!)}${port}`
  })
}
