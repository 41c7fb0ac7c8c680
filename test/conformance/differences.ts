import { chunked, coded, get, getOf, post, request, sized } from './bytes.ts'
import type { Verdict } from './verdict.ts'

/** A class of messages about which rawhttp and node:http differ, and why that is right. */
export interface Difference {
  readonly ours: string
  readonly theirs: RegExp
  readonly reason: string
  /** A message that shows it: if it no longer does, the entry goes. */
  readonly example: string
}

const taken = /^(?:accepts|nothing)$/

/** node:http takes the message, waits for more of it, or drops it without a word; we refuse it. */
const refused = (ours: string, example: string, reason: string): Difference => ({
  ours,
  theirs: taken,
  reason,
  example,
})

const lineRules: readonly Difference[] = [
  refused(
    'H1-EMPTY-LINES',
    `\r\n\r\n${get()}`,
    'RFC 9112 2.2 asks for at least one empty line; llhttp skips any number',
  ),
  refused('H1-BARE-LF', `\n${get()}`, 'llhttp skips a leading LF; a line ends in CRLF everywhere here'),
  refused('H1-BARE-CR', `\r${get()}`, 'llhttp skips a leading CR; RFC 9112 2.2 makes a bare CR invalid'),
  refused(
    'H1-REQUEST-LINE',
    'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    'llhttp skips repeated spaces, and reads a line without version as HTTP/0.9',
  ),
  refused(
    'H1-VERSION-MAJOR',
    'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
    'llhttp takes 0.9 and 2.0; RFC 9110 15.6.6 has 505',
  ),
  {
    ours: 'accepts',
    theirs: /^HPE_INVALID_VERSION$/,
    example: 'GET / HTTP/1.2\r\nHost: a\r\n\r\n',
    reason: 'RFC 9110 2.5: a higher minor version is read as 1.1; and PRI is a method like any other',
  },
  {
    ours: 'accepts',
    theirs: /^HPE_INVALID_METHOD$/,
    example: request('BREW / HTTP/1.1', 'Host: a'),
    reason: 'llhttp knows a list of methods; plugins may serve any (501 if none does)',
  },
]

/** What llhttp refuses as soon as it sees it, and we when the head, or the body, is complete. */
const early = /^HPE_(?:INVALID_(?:VERSION|METHOD|URL|CONTENT_LENGTH|TRANSFER_ENCODING)|STRICT)$/

const cutOffRules: readonly Difference[] = [
  {
    ours: 'nothing',
    theirs: early,
    example: 'GET a:80 HTTP/1.1\r\nHost: a\r\nX:',
    reason: 'a head that the client leaves incomplete is not answered',
  },
]

const targetRules: readonly Difference[] = [
  refused('H1-TARGET-CHAR', getOf('/a#b'), 'RFC 9112 3.2: a target has no fragment'),
  refused(
    'H1-TARGET-FORM',
    getOf('*'),
    'RFC 9112 3.2.1 to 3.2.4: the form must fit the method; node:http leaves that to handlers',
  ),
  refused('PATH-ESCAPE', getOf('/%zz'), 'node:http does not look at escapes'),
  refused('PATH-CHAR', getOf('/a\\b'), 'node:http does not look at backslashes'),
  refused('PATH-CLIMB', getOf('/../a'), 'node:http does not look at dot segments'),
  refused(
    'H1-CONNECT',
    request('CONNECT a:80 HTTP/1.1', 'Host: a:80'),
    'node:http cuts the connection when nobody listens for it',
  ),
  refused('H1-TRACE', request('TRACE / HTTP/1.1', 'Host: a'), 'node:http gives TRACE to the handler'),
]

const hostRules: readonly Difference[] = [
  refused(
    'H1-HOST-INVALID',
    request('GET / HTTP/1.1', 'Host: a b'),
    'RFC 9112 3.2: 400; node:http does not look at the value',
  ),
  refused(
    'H1-HOST-TWICE',
    request('GET / HTTP/1.1', 'Host: a', 'Host: b'),
    'RFC 9112 3.2: 400; node:http takes the first',
  ),
  refused(
    'H1-HOST-MISSING',
    request('GET / HTTP/1.1') + get(),
    'both answer 400, but node:http goes on to the next request',
  ),
]

const framingRules: readonly Difference[] = [
  refused(
    'H1-CL-INVALID',
    `${sized('9007199254740993')}hello`,
    'llhttp takes lengths up to 2^64 - 1; beyond a safe integer nobody can count them here',
  ),
  refused(
    'H1-TE-CODING',
    `${coded('gzip, chunked')}0\r\n\r\n`,
    'RFC 9112 6.1: 501 for codings that are not understood; node:http hands on the encoded bytes',
  ),
  refused(
    'H1-TE-INVALID',
    `${coded(',chunked')}0\r\n\r\n`,
    'an empty member of the list: recipients differ (HTTP Garden, gunicorn 6, nghttpx 1)',
  ),
  refused(
    'H1-TE-VERSION',
    `${request('POST / HTTP/1.0', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    'RFC 9112 6.1: faulty framing',
  ),
]

const chunkRules: readonly Difference[] = [
  refused(
    'H1-CHUNK-SIZE',
    chunked('0000000000000005\r\nhello\r\n0\r\n\r\n'),
    'twelve digits are enough for any body; llhttp counts to 2^64',
  ),
  refused(
    'H1-CHUNK-EXT',
    chunked('5;a=\r\nhello\r\n0\r\n\r\n'),
    'RFC 9112 7.1.1: an equals sign is followed by a value; llhttp takes none',
  ),
  refused(
    'H1-TRAILER-FIELD',
    chunked('0\r\nHost: b\r\n\r\n'),
    'RFC 9110 6.5.1; node:http shows them as trailers',
  ),
  {
    ours: 'accepts',
    theirs: /^HPE_(?:STRICT|INVALID_CHUNK_SIZE)$/,
    example: chunked('5; a\r\nhello\r\n0\r\n\r\n'),
    reason:
      'RFC 9110 5.6.3: bad white space is read over where the grammar has it; llhttp refuses most of it',
  },
]

const connectionRules: readonly Difference[] = [
  {
    ours: 'accepts',
    theirs: /^accepts with another field upgrade$/,
    example: get('Upgrade: foo'),
    reason:
      'RFC 9110 7.8: Upgrade that Connection does not name is no offer; node:http leaves that to handlers',
  },
  refused(
    'H1-EXPECT',
    post('Expect: x') + get(),
    'both answer 417, but node:http goes on to the next request',
  ),
  {
    ours: 'nothing',
    theirs: /^HPE_CLOSED_CONNECTION$/,
    example: `${get('Connection: close')}${get()}`,
    reason: 'both read nothing behind close; node:http calls it an error of the client',
  },
]

/** Every difference that was looked at. One that is not among them fails the test. */
export const differences: readonly Difference[] = [
  ...lineRules,
  ...cutOffRules,
  ...targetRules,
  ...hostRules,
  ...framingRules,
  ...chunkRules,
  ...connectionRules,
]

export function isReviewed({ ours, theirs }: Verdict): boolean {
  return differences.some(known => known.ours === ours && known.theirs.test(theirs))
}
