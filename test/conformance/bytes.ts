/** A request from its line and field lines, without body. */
export const request = (line: string, ...fields: readonly string[]): string =>
  `${[line, ...fields].join('\r\n')}\r\n\r\n`

/** A GET of `/` with these field lines behind Host. */
export const get = (...fields: readonly string[]): string => request('GET / HTTP/1.1', 'Host: a', ...fields)

/** A GET of a target. */
export const getOf = (target: string, ...fields: readonly string[]): string =>
  request(`GET ${target} HTTP/1.1`, 'Host: a', ...fields)

/** The head of a POST of `/` with these field lines behind Host. */
export const post = (...fields: readonly string[]): string => request('POST / HTTP/1.1', 'Host: a', ...fields)

/** A POST with a body in the chunked coding, as written. */
export const chunked = (body: string): string => post('Transfer-Encoding: chunked') + body

/** A POST whose Transfer-Encoding is as written. */
export const coded = (...values: readonly string[]): string =>
  post(...values.map(value => `Transfer-Encoding: ${value}`))

/** A POST whose Content-Length is as written. */
export const sized = (...values: readonly string[]): string =>
  post(...values.map(value => `Content-Length: ${value}`))

/** Limits of the servers under test: small, so that what is over them is short. */
export const HEAD_BYTES = 2_048
export const HEADERS = 20
export const TARGET_BYTES = 512
export const BODY_BYTES = 4_096

/** A request that no server may ever see: it stands behind or within a refused message. */
export const SMUGGLED_TARGET = '/smuggled'
export const smuggled = getOf(SMUGGLED_TARGET)
