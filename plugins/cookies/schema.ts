import { type Duration, expected, isDuration, isPath } from 'rawhttp'
import * as v from 'valibot'
import { tooShort } from './secrets-file.ts'
import { type CookieOptions, cookieLine } from './set-cookie.ts'
import { LEAST_SECRET } from './signature.ts'

/** Options of `cookies()`. */
export interface CookiesOptions {
  /** Each at least 32 bytes. The first signs, all of them verify. Default: none, and nothing can be signed. */
  readonly secrets?: readonly string[] | undefined
  /** A file with them, one a line, the newest first. A relative path counts from the config file's folder. */
  readonly secretsFile?: string | URL | undefined
  /** What holds for every cookie that does not say otherwise. */
  readonly defaults?: CookieOptions | undefined
}

/** {@link CookiesOptions}, checked. */
export interface CookiesSettings {
  readonly secrets?: readonly string[] | undefined
  readonly secretsFile?: string | URL | undefined
  readonly defaults: CookieOptions
}

// The kernel would show what came instead. Where a secret may stand, only its kind is told.
const secretly = (what: string) => (issue: v.BaseIssue<unknown>) =>
  `expected ${what}, got ${kindOf(issue.input)}`

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const secret = v.pipe(
  v.custom<string>(
    value => typeof value === 'string',
    secretly(`a secret of at least ${LEAST_SECRET} bytes (is its environment variable set?)`),
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    const bytes = dataset.typed ? Buffer.byteLength(dataset.value) : LEAST_SECRET
    if (bytes < LEAST_SECRET) addIssue({ message: tooShort(bytes) })
  }),
)

const secrets = v.pipe(
  v.array(secret, secretly('a list of secrets, the newest first')),
  v.minLength(1, secretly('at least one secret')),
)

const flag = v.optional(v.boolean(expected('true or false')))

const defaults = v.pipe(
  v.strictObject(
    {
      path: v.optional(v.string(expected("a path such as '/'"))),
      domain: v.optional(v.string(expected("a domain such as 'example.com'"))),
      maxAge: v.optional(v.custom<Duration>(isDuration, expected("a duration such as '7d'"))),
      httpOnly: flag,
      secure: v.optional(v.union([v.boolean(), v.literal('auto')], expected("true, false or 'auto'"))),
      sameSite: v.optional(v.picklist(['strict', 'lax', 'none'], expected("'strict', 'lax' or 'none'"))),
      partitioned: flag,
    },
    expected("options of cookies such as { sameSite: 'strict' }"),
  ),
  v.rawCheck<CookieOptions>(({ dataset, addIssue }) => {
    const message = dataset.typed ? problemWith(dataset.value) : null
    if (message !== null) addIssue({ message })
  }),
)

/** What is wrong with options in themselves: the first cookie would tell. */
function problemWith(options: CookieOptions): string | null {
  try {
    cookieLine({ name: 'any', value: '', options, defaults: {}, isHttps: true })
    return null
  } catch (error) {
    return (error as Error).message.replace('cookies: "any": ', '')
  }
}

const fields = v.pipe(
  v.strictObject(
    {
      secrets: v.optional(secrets),
      secretsFile: v.optional(v.custom<string | URL>(isPath, expected('a path or a file: URL'))),
      defaults: v.optional(defaults, {}),
    },
    secretly('options such as { secrets: [process.env.COOKIE_SECRET] }'),
  ),
  v.forward(
    v.check(
      ({ secrets, secretsFile }) => secrets === undefined || secretsFile === undefined,
      "excludes 'secrets'",
    ),
    ['secretsFile'],
  ),
)

/** The schema of {@link CookiesOptions}. */
export const cookiesOptions: v.GenericSchema<CookiesOptions | undefined, CookiesSettings> = v.optional(
  fields,
  {},
)
