import crypto from 'node:crypto'
import { promisify } from 'node:util'

/** A password as it is stored: it can be compared with, not read. */
export interface StoredHash {
  /** Whether it costs an attacker next to nothing to try passwords against it. */
  readonly isWeak: boolean
  verify(password: string): Promise<boolean>
}

/** What scrypt costs: 2^ln rounds over blocks of 128 · r bytes, p times. */
export interface ScryptCost {
  readonly ln: number
  readonly r: number
  readonly p: number
}

/** 32 MB of memory for a check: OWASP's scrypt setting for servers that cannot spare 128 MB. */
const COST: ScryptCost = { ln: 15, r: 8, p: 3 }

const SALT_BYTES = 16
const HASH_BYTES = 32
/** More memory than this for one check is a slip of the pen. */
const MOST_MEMORY = 2 ** 30

/**
 * The hash of a password, as `users` and password files take it: `$scrypt$ln=15,r=8,p=3$salt$hash`, the PHC string
 * format. It takes some tenths of a second, as it does for who tries passwords. No two hashes are the same.
 *
 * @example
 * console.log(await hashPassword('correct horse battery staple'))
 * @throws TypeError for what is no text, and for an empty one.
 */
export async function hashPassword(password: string): Promise<string> {
  if (typeof password !== 'string' || password === '')
    throw new TypeError('hashPassword: expected a text that is not empty')
  return await scryptHash(password, COST)
}

/** The same at another cost. */
export async function scryptHash(password: string, cost: ScryptCost): Promise<string> {
  const salt = crypto.randomBytes(SALT_BYTES)
  const { ln, r, p } = cost
  return `$scrypt$ln=${ln},r=${r},p=${p}$${b64(salt)}$${b64(await scrypt(password, salt, HASH_BYTES, cost))}`
}

/**
 * Reads a stored hash.
 *
 * @throws Error with what was expected and what kind of text came; never with the text, which may be a password.
 */
export function parseHash(text: string): StoredHash {
  for (const read of readers) {
    const hash = read(text)
    if (hash !== null) return hash
  }
  const kind =
    refused.find(([form]) => form.test(text))?.[1] ?? 'a plaintext password or an unknown kind of hash'
  throw new Error(
    `expected a hash that hashPassword() has made, got ${kind}; make a new one (see the README)`,
  )
}

/** What password files may hold, too, but Node cannot verify or nobody should. */
const refused: readonly (readonly [RegExp, string])[] = [
  [/^\$apr1\$|^\$1\$/, 'MD5 (apr1), which is broken'],
  [/^\$2[abxy]?\$/, 'bcrypt, which Node cannot verify'],
  [/^\$[56]\$/, 'SHA-crypt, which Node cannot verify'],
  [/^\$(?:y|7|gy)\$/, 'yescrypt, which Node cannot verify'],
  [/^\$argon2(?:i|d)\$/, 'argon2i or argon2d, of which only argon2id is taken'],
  [/^\$(?:scrypt|argon2id)\$/, 'one with parts that are missing or out of range'],
  [/^\{/, 'a scheme of LDAP other than {SHA}'],
]

const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,})\$([A-Za-z0-9+/]{22,})$/
const ARGON2ID =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,})\$([A-Za-z0-9+/]{22,})$/
const SHA1 = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/

const readers: readonly ((text: string) => StoredHash | null)[] = [readScrypt, readArgon2id, readSha1]

function readScrypt(text: string): StoredHash | null {
  const parts = SCRYPT.exec(text)
  if (parts === null) return null
  const [ln, r, p] = parts.slice(1, 4).map(Number) as [number, number, number]
  if (ln < 1 || r < 1 || p < 1 || memoryOf({ ln, r, p }) > MOST_MEMORY) return null
  const [salt, hash] = parts.slice(4).map(bytesOf) as [Buffer, Buffer]
  return {
    isWeak: false,
    verify: async password =>
      crypto.timingSafeEqual(await scrypt(password, salt, hash.length, { ln, r, p }), hash),
  }
}

const memoryOf = ({ ln, r, p }: ScryptCost): number => 128 * r * (2 ** ln + p)

// Accents may come as one character or two (RFC 8265 section 4.2.1 asks for one).
const normal = (password: string): string => password.normalize('NFC')

function scrypt(password: string, salt: Buffer, length: number, cost: ScryptCost): Promise<Buffer> {
  // OpenSSL's own count is a little higher than the memory.
  const options = { N: 2 ** cost.ln, r: cost.r, p: cost.p, maxmem: 2 * memoryOf(cost) }
  return new Promise((resolve, reject) => {
    crypto.scrypt(normal(password), salt, length, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function readArgon2id(text: string): StoredHash | null {
  const parts = ARGON2ID.exec(text)
  if (parts === null) return null
  const [memory, passes, parallelism] = parts.slice(1, 4).map(Number) as [number, number, number]
  if (parallelism < 1 || passes < 1 || memory < 8 * parallelism || memory * 1_024 > MOST_MEMORY) return null
  // Since Node 24.7; a named import would fail before.
  if (typeof crypto.argon2 !== 'function')
    throw new Error(`argon2id needs Node 24.7 or later, and this is ${process.version}`)
  const argon2 = promisify(crypto.argon2)
  const [nonce, hash] = parts.slice(4).map(bytesOf) as [Buffer, Buffer]
  const parameters = { nonce, memory, passes, parallelism, tagLength: hash.length }
  return {
    isWeak: false,
    verify: async password =>
      crypto.timingSafeEqual(await argon2('argon2id', { message: normal(password), ...parameters }), hash),
  }
}

function readSha1(text: string): StoredHash | null {
  const parts = SHA1.exec(text)
  if (parts === null) return null
  const hash = bytesOf(parts[1]!)
  return {
    isWeak: true,
    verify: async password =>
      crypto.timingSafeEqual(crypto.createHash('sha1').update(normal(password)).digest(), hash),
  }
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64')

/** Base64 without padding, as the PHC string format has it. */
const b64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
