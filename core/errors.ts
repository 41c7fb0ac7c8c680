/** Extra facts of an {@link HttpError}. */
export interface HttpErrorOptions {
  /** Stable, for machines: `BODY_TOO_LARGE`. Default: `HTTP_<status>`. */
  readonly code?: string | undefined
  /** Header fields of the answer, for example `{ 'retry-after': '5' }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The protocol that a 426 asks for, as the Upgrade field names it: `websocket` (RFC 9110 section 15.5.22). */
  readonly protocol?: string | undefined
  readonly cause?: unknown
}

/**
 * An answer by throwing. The message of a 4xx is shown to the client, that of a 5xx never is.
 *
 * @throws TypeError when the status is not an error status (400 to 599).
 */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly protocol: string | undefined

  constructor(status: number, message = reasonPhrase(status), options: HttpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new TypeError(`HttpError: status must be 400 to 599, got ${status}`)
    }
    this.status = status
    this.code = options.code ?? `HTTP_${status}`
    this.headers = options.headers
    this.protocol = options.protocol
  }
}

/** A fault to tell the operator about: what `report` taps are given. */
export interface Diagnostic {
  /** Stable, for machines: `TAP_FAILED`, `H1-CL-TE`. */
  readonly code: string
  readonly message: string
  readonly severity: 'info' | 'warning' | 'error'
  /** The plugin that is to blame, by its listed name. */
  readonly plugin?: string | undefined
  readonly hook?: string | undefined
  readonly tap?: string | undefined
  readonly site?: string | undefined
  /** Method and target of the request, cut at 1 kB; control characters escaped. */
  readonly request?: string | undefined
  readonly cause?: unknown
}

/** One way in which a message can be refused: a row of {@link refusals}. */
export interface Refusal {
  readonly status: number
  readonly section: string
  readonly sentence: string
}

/** A refused message, as `request.refused` tells it. */
export interface Refused {
  readonly id: RefusalId
  readonly status: number
  /** RFC and section: `RFC 9112 6.3`. */
  readonly section: string
}

/** The stable id of a refusal: `H1-CL-TE`. docs/refusals.md lists them. */
export type RefusalId = keyof typeof refusals

const row = (status: number, section: string, sentence: string): Refusal => ({ status, section, sentence })

/**
 * Every reason to refuse a message, by its stable id. The connection closes after each of them: once a message
 * is in doubt, so is the place where the next one begins (RFC 9112 section 11.2).
 */
export const refusals = {
  'H1-TLS-HELLO': row(400, 'RFC 8446 5.1', 'a TLS handshake came to a port that speaks plain HTTP'),
  'H1-H2-PREFACE': row(505, 'RFC 9113 3.4', 'an HTTP/2 preface came to a connection that speaks HTTP/1.1'),
  'H1-METHOD': row(400, 'RFC 9110 9.1', 'the method is not a token'),
  'H1-METHOD-LONG': row(501, 'RFC 9112 3', 'the method is longer than any that is known'),
  'H1-REQUEST-LINE': row(
    400,
    'RFC 9112 3',
    'the request line is not method, one space, target, one space, version',
  ),
  'H1-TARGET-LONG': row(414, 'RFC 9112 3', 'the request target is longer than limits.targetBytes'),
  'H1-TARGET-CHAR': row(400, 'RFC 9112 3.2', 'the request target has a character that a URI cannot have'),
  'H1-TARGET-FORM': row(400, 'RFC 9112 3.2', 'the form of the request target does not fit the method'),
  'H1-VERSION': row(400, 'RFC 9112 2.3', 'the version is not HTTP/1.1 or HTTP/1.0'),
  'H1-VERSION-MAJOR': row(505, 'RFC 9110 15.6.6', 'the major version is not 1'),
  'H1-BARE-LF': row(400, 'RFC 9112 2.2', 'a line ends in LF without CR'),
  'H1-BARE-CR': row(400, 'RFC 9112 2.2', 'a CR is not followed by LF'),
  'H1-EMPTY-LINES': row(400, 'RFC 9112 2.2', 'more than one empty line came before the request line'),
  'H1-HEAD-LARGE': row(431, 'RFC 6585 5', 'the head or trailer section is larger than limits.headBytes'),
  'H1-HEAD-COUNT': row(431, 'RFC 6585 5', 'the message has more fields than limits.headers'),
  'H1-FIELD-NAME': row(400, 'RFC 9112 5.1', 'a field name is empty or is not a token'),
  'H1-FIELD-SPACE': row(400, 'RFC 9112 5.1', 'white space stands before the colon of a field'),
  'H1-FIELD-FOLD': row(400, 'RFC 9112 5.2', 'a field line begins with white space (obsolete folding)'),
  'H1-FIELD-VALUE': row(400, 'RFC 9110 5.5', 'a field value has a control character'),
  'H1-HOST-MISSING': row(400, 'RFC 9112 3.2', 'an HTTP/1.1 request has no Host'),
  'H1-HOST-TWICE': row(400, 'RFC 9112 3.2', 'the request has more than one Host'),
  'H1-HOST-INVALID': row(400, 'RFC 9112 3.2', 'the Host is not a host with an optional port'),
  'H1-CL-INVALID': row(400, 'RFC 9110 8.6', 'Content-Length is not a plain decimal number'),
  'H1-CL-TWICE': row(400, 'RFC 9112 6.3', 'the message has more than one Content-Length'),
  'H1-CL-TE': row(400, 'RFC 9112 6.1', 'the message has both Content-Length and Transfer-Encoding'),
  'H1-TE-VERSION': row(400, 'RFC 9112 6.1', 'Transfer-Encoding came in an HTTP/1.0 message'),
  'H1-TE-INVALID': row(
    400,
    'RFC 9112 6.1',
    'Transfer-Encoding is not a list of codings that ends in one chunked',
  ),
  'H1-TE-CODING': row(501, 'RFC 9112 6.1', 'Transfer-Encoding names a coding other than chunked'),
  'H1-CHUNK-SIZE': row(400, 'RFC 9112 7.1', 'a chunk size is not a plain hexadecimal number'),
  'H1-CHUNK-EXT': row(
    400,
    'RFC 9112 7.1.1',
    'a chunk extension is too long, or is not a name with an optional value',
  ),
  'H1-CHUNK-END': row(400, 'RFC 9112 7.1', 'a chunk is not followed by CRLF'),
  'H1-TRAILER-FIELD': row(
    400,
    'RFC 9110 6.5.1',
    'a trailer field belongs to framing, routing or authentication',
  ),
  'H1-HEAD-TIMEOUT': row(408, 'RFC 9110 15.5.9', 'the head did not arrive within limits.headTimeout'),
  'H1-CONNECT': row(501, 'RFC 9110 9.3.6', 'CONNECT is not served'),
  'H1-TRACE': row(501, 'RFC 9110 9.3.8', 'TRACE is not served'),
  'H1-SCHEME': row(421, 'RFC 9110 7.4', 'the target is of https, but the connection is not secured'),
  'H1-EXPECT': row(417, 'RFC 9110 10.1.1', 'Expect asks for something other than 100-continue'),
  'PATH-ESCAPE': row(400, 'RFC 3986 2.1', 'the path has a broken percent escape or an escaped NUL'),
  'PATH-CHAR': row(400, 'RFC 3986 3.3', 'the path has a character that must be escaped'),
  'PATH-CLIMB': row(400, 'RFC 3986 5.2.4', 'the path climbs above its root'),
  'HOST-UNKNOWN': row(421, 'RFC 9110 15.5.20', 'no site answers for this host'),
} as const satisfies Record<string, Refusal>

/** The refused message of an id, as `request.refused` holds it. */
export function refused(id: RefusalId): Refused {
  const { status, section } = refusals[id]
  return { id, status, section }
}

/** The reason phrase of a status (RFC 9110 section 15), or `Status <n>` for an unregistered one. */
export function reasonPhrase(status: number): string {
  return phrases[status] ?? `Status ${status}`
}

const phrases: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  511: 'Network Authentication Required',
}

/** What is caught, as an Error: a thrown string or object keeps its text. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`a non-error was thrown: ${describe(thrown)}`, { cause: thrown })
}

/** A value in a few words, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` (${value.name})`}`
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof (value as { then?: unknown }).then === 'function') return 'a promise'
  const name = (value as object).constructor?.name
  return name === undefined || name === 'Object' ? 'an object' : `an object (${name})`
}

/** Text of a client as it may stand in a message or log: cut, with everything but printable ASCII escaped. */
export function printable(text: string, limit = 1_024): string {
  const cut = text.length > limit ? text.slice(0, limit) : text
  return cut.replace(
    /[^\x20-\x7e]|\\/g,
    character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
