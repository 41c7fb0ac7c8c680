import { type Duration, isDuration, parseDuration } from 'rawhttp'
import * as v from 'valibot'
import {
  type OriginOption,
  type Origins,
  originsOf,
  problemWithOrigin,
  problemWithPattern,
} from './origins.ts'

/** The options of `cors`. */
export interface CorsOptions {
  /** Whose pages may read: `'*'`, an origin, a list of origins and expressions, or a function. */
  readonly origin: OriginOption
  /** Methods that they may use beside GET, HEAD and POST. Default: `['PUT', 'PATCH', 'DELETE']`. */
  readonly methods?: readonly string[] | undefined
  /** Request fields that they may set. Default: those that they ask for. */
  readonly headers?: readonly string[] | undefined
  /** Response fields that their scripts may see beside the plain ones, or `'*'`. Default: none. */
  readonly exposed?: readonly string[] | '*' | undefined
  /** Whether browsers send cookies and passwords along, and let scripts see the answer. Default: false. */
  readonly credentials?: boolean | undefined
  /** For how long browsers need not ask again; 0: not at all. Chromium stops at two hours. Default: `'10m'`. */
  readonly maxAge?: Duration | undefined
}

/** What the options come to: field values. */
export interface CorsSettings {
  readonly origins: Origins
  readonly methods: string
  /** Null: what is asked for. */
  readonly headers: string | null
  /** Empty: none. */
  readonly exposed: string
  readonly credentials: boolean
  readonly maxAge: string
}

/** What needs no permission (Fetch, "CORS-safelisted method"): a browser sends them, whatever is answered. */
const SAFE = ['GET', 'HEAD', 'POST']

/** Whether a text names one field; `*` names all. */
export const isFieldName = (text: unknown): boolean =>
  typeof text === 'string' && /^[!#$%&'+.^_`|~0-9A-Za-z-]+$/.test(text)

// CONNECT and TRACE no browser sends, and lower case is another method to it.
const METHOD = /^(?!CONNECT$|TRACE$)[A-Z]+(?:-[A-Z]+)*$/

const isMethod = (text: unknown): boolean => typeof text === 'string' && METHOD.test(text)

const isListOf = (value: unknown, isRight: (each: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isRight)

function problemWith(option: OriginOption): string | null {
  if (option === '*' || typeof option === 'function') return null
  const list = Array.isArray(option) ? option : [option]
  if (list.length === 0) return 'expected at least one origin, got none'
  for (const each of list) {
    const problem = typeof each === 'string' ? problemWithOrigin(each) : problemWithPattern(each as RegExp)
    if (problem !== null) return problem
  }
  return null
}

const isOrigin = (value: unknown): boolean => typeof value === 'string' || value instanceof RegExp

const origin = v.pipe(
  v.custom<OriginOption>(
    value =>
      isOrigin(value) || typeof value === 'function' || (Array.isArray(value) && value.every(isOrigin)),
    "expected '*', an origin, a RegExp, a list of them, or a function",
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? problemWith(dataset.value) : null
    if (message !== null) addIssue({ message })
  }),
)

const options = v.strictObject(
  {
    origin,
    methods: v.optional(
      v.custom<readonly string[]>(
        value => isListOf(value, isMethod),
        "expected methods in capitals such as ['PUT', 'DELETE']",
      ),
      ['PUT', 'PATCH', 'DELETE'],
    ),
    headers: v.optional(
      v.custom<readonly string[]>(
        value => isListOf(value, isFieldName) && (value as string[]).length > 0,
        "expected names of fields such as ['content-type']; without the option all are allowed",
      ),
    ),
    exposed: v.optional(
      v.custom<readonly string[] | '*'>(
        value => value === '*' || isListOf(value, isFieldName),
        "expected names of fields such as ['x-total'], or '*'",
      ),
      [],
    ),
    credentials: v.optional(v.boolean('expected true or false'), false),
    maxAge: v.optional(v.custom<Duration>(isDuration, "expected a duration such as '10m', or 0"), '10m'),
  },
  "expected options such as { origin: 'https://www.example.com' }",
)

export const corsOptions: v.GenericSchema<CorsOptions, CorsSettings> = v.pipe(
  options,
  v.forward(
    v.check(
      ({ origin, credentials }) => !(credentials && origin === '*'),
      "'*' does not go with credentials: every page in the world could act and read as the user; name the origins",
    ),
    ['origin'],
  ),
  v.forward(
    v.check(
      ({ exposed, credentials }) => !(credentials && exposed === '*'),
      "'*' does not go with credentials (browsers take it for a name); name the fields",
    ),
    ['exposed'],
  ),
  v.transform(({ origin, methods, headers, exposed, credentials, maxAge }) => ({
    origins: originsOf(origin),
    methods: [...new Set([...SAFE, ...methods])].join(', '),
    headers: headers?.join(', ') ?? null,
    exposed: exposed === '*' ? '*' : exposed.join(', '),
    credentials,
    maxAge: String(Math.floor(parseDuration(maxAge) / 1_000)),
  })),
)
