import { printable } from 'rawhttp'
import { forEach, type Rule } from '../rule.ts'

/** What is said to browsers about who may do what. */
export const security: readonly Rule[] = [
  {
    id: 'cors-credentials',
    section: 'Fetch, CORS protocol and credentials',
    field: 'access-control-allow-origin',
    check: ({ fields }, value) =>
      value === '*' && fields.get('access-control-allow-credentials') === 'true'
        ? 'browsers refuse * together with Access-Control-Allow-Credentials'
        : null,
  },
  {
    id: 'cors-origin',
    section: 'Fetch, CORS protocol',
    field: 'access-control-allow-origin',
    check: (_answer, value) =>
      value === '*' || value === 'null' || isOrigin(value)
        ? null
        : `"${printable(value, 64)}" is not *, null or one origin: browsers compare it letter by letter`,
  },
  {
    id: 'hsts-plain',
    section: 'RFC 6797 7.2',
    field: 'strict-transport-security',
    check: ({ request }) =>
      request.scheme === 'https' ? null : 'it may only be sent over TLS, and browsers pass it over otherwise',
  },
  {
    id: 'csp-unsafe-inline',
    section: 'CSP 3, unsafe-inline',
    field: 'content-security-policy',
    check: (_answer, value) =>
      allowsInline(value)
        ? "'unsafe-inline' lets every script run that gets into the page; use a nonce or hashes"
        : null,
  },
  ...forEach(['server', 'x-powered-by', 'x-aspnet-version', 'x-generator'], field => ({
    id: 'version-told',
    section: 'RFC 9110 10.2.4',
    field,
    check: (_answer, value) =>
      field !== 'server' || /\d/.test(value)
        ? 'it tells those who look for known holes what runs here, and nobody else needs it'
        : null,
  })),
]

function isOrigin(value: string): boolean {
  return URL.canParse(value) && `${new URL(value).protocol}//${new URL(value).host}` === value
}

/** Whether scripts in the page run without a nonce or a hash, beside which browsers pass 'unsafe-inline' over. */
function allowsInline(policy: string): boolean {
  const directives = policy.split(';').map(each => each.trim().toLowerCase().split(/\s+/))
  const find = (name: string) => directives.find(each => each[0] === name)
  const sources = find('script-src-elem') ?? find('script-src') ?? find('default-src') ?? []
  return (
    sources.includes("'unsafe-inline'") &&
    !sources.some(each => /^'(?:nonce|sha\d+)-|^'strict-dynamic'/.test(each))
  )
}
