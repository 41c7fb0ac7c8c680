/** Requests as a client would write them, to the host `a`. Further fields are whole lines: `Connection: close`. */
export const get = (target = '/', ...fields: readonly string[]): string => request('GET', target, fields)

/** A request whose body has a Content-Length. */
export const post = (target: string, body: string, ...fields: readonly string[]): string =>
  request('POST', target, [`Content-Length: ${Buffer.byteLength(body)}`, ...fields]) + body

/** A request whose body comes in chunks. */
export const chunked = (
  target: string,
  pieces: readonly string[],
  trailers: readonly string[] = [],
): string => {
  const chunks = pieces.map(piece => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
  const end = trailers.map(line => `${line}\r\n`).join('')
  return `${request('POST', target, ['Transfer-Encoding: chunked'])}${chunks}0\r\n${end}\r\n`
}

/** A head with the fields that are given, and Host. */
export const request = (method: string, target: string, fields: readonly string[] = []): string =>
  `${method} ${target} HTTP/1.1\r\nHost: a\r\n${fields.map(line => `${line}\r\n`).join('')}\r\n`

/** A whole answer, for a test that counts them: its status lines in order. */
export const statuses = (bytes: string): number[] =>
  [...bytes.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
