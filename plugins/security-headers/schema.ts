import * as v from 'valibot'
import { type CompiledCsp, type Csp, compileCsp, sourcesOf } from './csp.ts'
import { type Permissions, permissionsText } from './permissions.ts'

const referrerPolicies = [
  ...['no-referrer', 'no-referrer-when-downgrade', 'origin', 'origin-when-cross-origin', 'same-origin'],
  ...['strict-origin', 'strict-origin-when-cross-origin', 'unsafe-url'],
] as const
const openerPolicies = [
  ...['same-origin', 'same-origin-allow-popups', 'noopener-allow-popups', 'unsafe-none'],
] as const
const resourcePolicies = ['same-origin', 'same-site', 'cross-origin'] as const
const embedderPolicies = ['require-corp', 'credentialless', 'unsafe-none'] as const
const frameOptions = ['DENY', 'SAMEORIGIN'] as const

type ReferrerPolicy = (typeof referrerPolicies)[number]

/** The options of `securityHeaders`: one for each field, and `false` leaves it out. */
export interface SecurityHeadersOptions {
  /**
   * What pages may load and run. What is given takes the place of the whole default.
   * Default: `base-uri 'self'; frame-ancestors 'self'; object-src 'self'`.
   */
  readonly contentSecurityPolicy?: Csp | false | undefined
  /** The same, but browsers only report what it would stop: for trying a policy. Default: false. */
  readonly contentSecurityPolicyReportOnly?: Csp | false | undefined
  /** `X-Content-Type-Options: nosniff`: types are what they are said to be. Default: true. */
  readonly contentTypeOptions?: boolean | undefined
  /** Whether pages may load what has not agreed to it. Default: false. */
  readonly crossOriginEmbedderPolicy?: (typeof embedderPolicies)[number] | false | undefined
  /** Whether other windows keep a hold on pages. Default: `same-origin-allow-popups`. */
  readonly crossOriginOpenerPolicy?: (typeof openerPolicies)[number] | false | undefined
  /** Whose pages may embed what is served. Default: `same-origin`. */
  readonly crossOriginResourcePolicy?: (typeof resourcePolicies)[number] | false | undefined
  /** `X-Frame-Options`. Default: `SAMEORIGIN`; with `frame-ancestors` of your own none, as that says it better. */
  readonly frameOptions?: (typeof frameOptions)[number] | false | undefined
  /** `Origin-Agent-Cluster: ?1`: pages share no process with other origins of their site. Default: true. */
  readonly originAgentCluster?: boolean | undefined
  /** Features by who may use them: `{ camera: [], geolocation: ['self'] }`, or the field's value. Default: nobody may use camera, geolocation, microphone, payment and usb. */
  readonly permissionsPolicy?: Permissions | string | false | undefined
  /** What other sites learn of where a visitor comes from; of a list the last that a browser knows counts. Default: `strict-origin-when-cross-origin`. */
  readonly referrerPolicy?: ReferrerPolicy | readonly ReferrerPolicy[] | false | undefined
}

/** What the options come to. */
export interface SecurityHeadersSettings {
  /** Fields that are the same on every answer. */
  readonly fixed: readonly (readonly [name: string, value: string])[]
  /** Policies with the nonce of the request in them. */
  readonly nonced: readonly (readonly [name: string, parts: CompiledCsp])[]
}

const DEFAULT_CSP = { 'base-uri': "'self'", 'frame-ancestors': "'self'", 'object-src': "'self'" }
/** What hardly a page needs, and what a script of somebody else would ask for. */
const DEFAULT_PERMISSIONS: Permissions = { camera: [], geolocation: [], microphone: [], payment: [], usb: [] }

const oneOf = <const T extends readonly string[]>(words: T) =>
  v.optional(
    v.union(
      [v.literal(false), v.picklist(words)],
      `expected ${words.map(word => `'${word}'`).join(', ')} or false`,
    ),
  )

const isListOfPolicies = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(each => referrerPolicies.includes(each))

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value that is a string or an object, and that a function can read. */
const readable = <T>(read: (value: T) => unknown, what: string) =>
  v.optional(
    v.pipe(
      v.custom<T | false>(
        value => value === false || typeof value === 'string' || isObject(value),
        `expected ${what}, or false`,
      ),
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed || dataset.value === false) return
        try {
          read(dataset.value as T)
        } catch (error) {
          addIssue({ message: (error as Error).message })
        }
      }),
    ),
  )

const csp = readable<Csp>(compileCsp, `a policy such as { 'default-src': ["'self'"] }`)
const permissions = readable<Permissions | string>(permissionsOf, 'features such as { camera: [] }')
const flag = v.optional(v.boolean('expected true or false'), true)

function permissionsOf(value: Permissions | string): string {
  if (typeof value !== 'string') return permissionsText(value)
  if (/^[\x20-\x7e]+$/.test(value)) return value
  throw new Error('expected a field value of ASCII such as camera=(), geolocation=(self)')
}

const options = v.strictObject(
  {
    contentSecurityPolicy: csp,
    contentSecurityPolicyReportOnly: csp,
    contentTypeOptions: flag,
    crossOriginEmbedderPolicy: oneOf(embedderPolicies),
    crossOriginOpenerPolicy: oneOf(openerPolicies),
    crossOriginResourcePolicy: oneOf(resourcePolicies),
    frameOptions: oneOf(frameOptions),
    originAgentCluster: flag,
    permissionsPolicy: permissions,
    referrerPolicy: v.optional(
      v.union(
        [
          v.literal(false),
          v.picklist(referrerPolicies),
          v.custom<readonly ReferrerPolicy[]>(isListOfPolicies),
        ],
        `expected ${referrerPolicies.map(word => `'${word}'`).join(', ')}, a list of them, or false`,
      ),
    ),
  },
  "expected options such as { frameOptions: 'DENY' }",
)

export const securityHeadersOptions: v.GenericSchema<
  SecurityHeadersOptions | undefined,
  SecurityHeadersSettings
> = v.pipe(
  v.optional(options, {}),
  v.transform((written): SecurityHeadersSettings => settingsOf(written)),
)

function settingsOf(options: SecurityHeadersOptions): SecurityHeadersSettings {
  const { contentSecurityPolicy = DEFAULT_CSP, contentSecurityPolicyReportOnly = false } = options
  const { permissionsPolicy = DEFAULT_PERMISSIONS } = options
  const { referrerPolicy = 'strict-origin-when-cross-origin' } = options
  const policies = [
    ['content-security-policy', contentSecurityPolicy],
    ['content-security-policy-report-only', contentSecurityPolicyReportOnly],
  ] as const
  const compiled = policies.flatMap(([name, policy]) =>
    policy === false ? [] : [[name, compileCsp(policy)] as const],
  )
  const single: readonly (readonly [string, string | false])[] = [
    ...compiled.flatMap(([name, parts]) => (parts.length === 1 ? [[name, parts[0]!] as const] : [])),
    ['cross-origin-embedder-policy', options.crossOriginEmbedderPolicy ?? false],
    ['cross-origin-opener-policy', options.crossOriginOpenerPolicy ?? 'same-origin-allow-popups'],
    ['cross-origin-resource-policy', options.crossOriginResourcePolicy ?? 'same-origin'],
    ['origin-agent-cluster', options.originAgentCluster === false ? false : '?1'],
    ['permissions-policy', permissionsPolicy === false ? false : permissionsOf(permissionsPolicy)],
    ['referrer-policy', typeof referrerPolicy === 'object' ? referrerPolicy.join(', ') : referrerPolicy],
    ['x-content-type-options', options.contentTypeOptions === false ? false : 'nosniff'],
    ['x-frame-options', options.frameOptions ?? defaultFrameOptions(contentSecurityPolicy)],
  ]
  return {
    fixed: single.flatMap(([name, value]) => (value === false ? [] : [[name, value] as const])),
    nonced: compiled.filter(([, parts]) => parts.length > 1),
  }
}

// Where both say something, the older field could only say something else.
function defaultFrameOptions(policy: Csp | false): 'SAMEORIGIN' | 'DENY' | false {
  const [ancestors, ...more] = (policy === false ? null : sourcesOf(policy, 'frame-ancestors')) ?? ["'self'"]
  if (more.length > 0) return false
  if (ancestors === "'self'") return 'SAMEORIGIN'
  return ancestors === "'none'" ? 'DENY' : false
}
