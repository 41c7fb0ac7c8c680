import { HttpError } from 'rawhttp'

/** What a client claims to be, and its proof. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
// RFC 7617 section 2 forbids them.
const CONTROL = /[\x00-\x1f\x7f]/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads an Authorization field (RFC 7617 section 2). Null: it is missing, or of another scheme.
 *
 * @throws HttpError 400 for credentials that cannot be read: other ones would not be refused in the same way.
 */
export function credentialsOf(field: string | undefined): Credentials | null {
  const [scheme = '', ...rest] = (field ?? '').split(' ')
  if (scheme.toLowerCase() !== 'basic') return null
  const text = decoded(rest.join(' ').trim())
  const colon = text?.indexOf(':') ?? -1
  if (text === null || colon === -1 || CONTROL.test(text)) {
    const message = 'Basic credentials are "user:password" in UTF-8, coded in base64.'
    throw new HttpError(400, message, { code: 'BASIC_AUTH_UNREADABLE' })
  }
  // A name cannot have a colon, a password can.
  return { user: text.slice(0, colon).normalize('NFC'), password: text.slice(colon + 1) }
}

function decoded(base64: string): string | null {
  if (!BASE64.test(base64)) return null
  try {
    return utf8.decode(Buffer.from(base64, 'base64'))
  } catch {
    return null
  }
}
