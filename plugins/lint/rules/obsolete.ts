import type { Rule } from '../rule.ts'

/** Fields that nobody reads any more, or that do harm, where that is written, and what stands in their place. */
const OBSOLETE: readonly (readonly [field: string, section: string, what: string])[] = [
  ['content-md5', 'RFC 7231 B', 'it was taken out of HTTP; Content-Digest is in its place'],
  ['digest', 'RFC 9530', 'Content-Digest and Repr-Digest are in its place'],
  ['expect-ct', 'RFC 9163', 'browsers demand certificate transparency by themselves'],
  ['feature-policy', 'Permissions Policy', 'Permissions-Policy is in its place'],
  ['p3p', 'W3C P3P', 'no browser reads it any more'],
  ['pragma', 'RFC 9111 5.4', 'it never meant anything in an answer; Cache-Control does'],
  ['public-key-pins', 'RFC 7469', 'browsers have given it up, since it locked out sites that had lost a key'],
  ['warning', 'RFC 9111 5.5', 'it was taken out of HTTP'],
  ['x-content-security-policy', 'CSP 3', 'Content-Security-Policy is in its place'],
  ['x-ua-compatible', 'WHATWG HTML', 'the browser that it spoke to is gone'],
  ['x-webkit-csp', 'CSP 3', 'Content-Security-Policy is in its place'],
]

/** What has had its time. */
export const obsolete: readonly Rule[] = [
  ...OBSOLETE.map(([field, section, what]) => ({ id: 'field-obsolete', section, field, check: () => what })),
  {
    id: 'field-obsolete',
    section: 'MDN X-XSS-Protection',
    field: 'x-xss-protection',
    // 0 turns it off where it still is.
    check: (_answer, value) =>
      value.trim() === '0'
        ? null
        : 'browsers have taken it out, since it opened holes of its own; 0 is harmless',
  },
  {
    id: 'field-obsolete',
    section: 'WHATWG HTML, X-Frame-Options',
    field: 'x-frame-options',
    check: (_answer, value) =>
      /^allow-from/i.test(value)
        ? 'browsers pass ALLOW-FROM over, so that anybody may frame the page; frame-ancestors is in its place'
        : null,
  },
]
