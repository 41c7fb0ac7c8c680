import { type Duration, isDuration, isPath, parseDuration } from 'rawhttp'
import * as v from 'valibot'
import { parseHash, type StoredHash } from './hash.ts'

/** Whether a password is a user's. Both are as the client sent them; the name is in Unicode's form NFC. */
export type Verify = (user: string, password: string) => boolean | Promise<boolean>

/** The options of `basicAuth` and `basicAuthGuard`. One of `users`, `file` and `verify` is needed. */
export interface BasicAuthOptions {
  /** What the password is for, as browsers show it: printable ASCII. Default: `Restricted`. */
  readonly realm?: string | undefined
  /** Hashes of passwords by user: `{ ann: '$scrypt$…' }`, made by `hashPassword`. A password itself is refused. */
  readonly users?: Readonly<Record<string, string>> | undefined
  /** A file of lines `user:hash`. A relative path counts from the site's `dir`; a guard takes absolute ones only. */
  readonly file?: string | URL | undefined
  /** Asks something else: a database, a directory. Only `true` lets in. */
  readonly verify?: Verify | undefined
  /** For how long credentials that were right are not checked again; 0: they always are. Default: `'5m'`. */
  readonly remember?: Duration | undefined
}

/** What the options come to. */
export interface BasicAuthSettings {
  readonly realm: string
  readonly source:
    | { readonly kind: 'users'; readonly users: ReadonlyMap<string, StoredHash> }
    | { readonly kind: 'file'; readonly file: string | URL }
    | { readonly kind: 'verify'; readonly verify: Verify }
  /** Milliseconds. */
  readonly remember: number
}

// Nothing that came is shown, here least of all.
const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const users = v.pipe(
  // Not v.record, which drops a user who is called "constructor".
  v.custom<Readonly<Record<string, string>>>(
    isRecord,
    "expected hashes by user such as { ann: '$scrypt$…' }",
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const byName = new Map<string, StoredHash>()
    for (const [name, value] of Object.entries(dataset.value)) {
      const problem = nameProblem(name, byName)
      try {
        if (problem !== null) throw new Error(problem)
        byName.set(name.normalize('NFC'), parseHash(String(value)))
      } catch (error) {
        const { message } = error as Error
        addIssue({
          message,
          path: [{ type: 'object', origin: 'value', input: {}, key: name, value: undefined }],
        })
        return NEVER
      }
    }
    return byName
  }),
  v.check(byName => byName.size > 0, 'expected at least one user, got none'),
)

function nameProblem(name: string, before: ReadonlyMap<string, StoredHash>): string | null {
  if (name === '' || name.includes(':')) return 'expected a name without a colon (RFC 7617 section 2)'
  return before.has(name.normalize('NFC')) ? 'stands there twice, in two Unicode forms' : null
}

const options = v.strictObject(
  {
    realm: v.optional(
      v.custom<string>(
        value => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value),
        'expected printable ASCII (RFC 9110 section 5.6.4)',
      ),
      'Restricted',
    ),
    users: v.optional(users),
    file: v.optional(v.custom<string | URL>(isPath, "expected a path such as './htpasswd', or a file: URL")),
    verify: v.optional(v.custom<Verify>(value => typeof value === 'function', 'expected a function')),
    remember: v.optional(v.custom<Duration>(isDuration, "expected a duration such as '5m', or 0"), '5m'),
  },
  "expected options such as { users: { ann: '$scrypt$…' } }",
)

export const basicAuthOptions: v.GenericSchema<BasicAuthOptions, BasicAuthSettings> = v.pipe(
  options,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const { realm, remember, users, file, verify } = dataset.value
    const sources: BasicAuthSettings['source'][] = []
    if (users !== undefined) sources.push({ kind: 'users', users })
    if (file !== undefined) sources.push({ kind: 'file', file })
    if (verify !== undefined) sources.push({ kind: 'verify', verify })
    const [source] = sources
    if (source !== undefined && sources.length === 1)
      return { realm, source, remember: parseDuration(remember) }
    const got = sources.length === 0 ? 'none' : sources.map(({ kind }) => kind).join(' and ')
    addIssue({ message: `expected one of users, file and verify, got ${got}` })
    return NEVER
  }),
)
