import { expected, HttpResponse } from 'rawhttp'
import * as v from 'valibot'
import { type RedirectRule, type RedirectStatus, type RedirectTarget, readRule } from './rule.ts'
import { RuleTable } from './table.ts'

/** Rules by path pattern, or in a list. */
export type RedirectRules = Readonly<Record<`/${string}`, string | RedirectTarget>> | readonly RedirectRule[]

/** Options of the redirects. */
export interface RedirectsOptions {
  /**
   * Where paths have gone: targets by path pattern, or a list. The first that is for a request has it. Default: none.
   */
  readonly rules?: RedirectRules | undefined
  /** The status of `www`, `trailingSlash`, and rules without one. Default: 308. */
  readonly status?: RedirectStatus | undefined
  /** Whether hosts get a `www.` in front, or lose it. Default: neither. */
  readonly www?: 'add' | 'remove' | undefined
  /** Whether paths get a slash at their end, those of files excepted, or lose it. Default: neither. */
  readonly trailingSlash?: 'add' | 'remove' | undefined
  /** The Cache-Control field of what is permanent (301, 308); false: none. Default: `max-age=3600`. */
  readonly cacheControl?: string | false | undefined
}

/** What the options come to. */
export interface RedirectsSettings {
  /** Null without rules. */
  readonly table: RuleTable | null
  readonly status: RedirectStatus
  readonly www: 'add' | 'remove' | null
  readonly trailingSlash: 'add' | 'remove' | null
  readonly cacheControl: string | false
}

const statuses = [301, 302, 303, 307, 308] as const

// Texts, methods and hosts are checked where they are read.
const target = {
  to: v.optional(v.string(expected("a path such as '/new/:id', or a URL"))),
  status: v.optional(v.picklist([...statuses, 410], expected('301, 302, 303, 307, 308 or 410'))),
  query: v.optional(v.picklist(['keep', 'drop'], expected("'keep' or 'drop'"))),
  methods: v.optional(v.any()),
  hosts: v.optional(v.any()),
}

const list = v.array(
  v.strictObject(
    { from: v.string(expected("a path pattern such as '/old/:id'")), ...target },
    expected("a rule such as { from: '/old/:id', to: '/new/:id' }"),
  ),
)

const expectedTarget = expected(
  "a path such as '/new/:id', a URL, or a rule such as { to: '/new', status: 302 }",
)

const byPath = v.record(
  v.string(),
  v.lazy(value => (typeof value === 'string' ? v.string() : v.strictObject(target, expectedTarget))),
  expected("targets by path such as { '/old/:id': '/new/:id' }, or a list of rules"),
)

type WrittenRules = v.InferOutput<typeof list> | v.InferOutput<typeof byPath>

const rules = v.pipe(
  v.lazy(value => (Array.isArray(value) ? list : byPath) as v.GenericSchema<RedirectRules, WrittenRules>),
  v.rawTransform<WrittenRules, RuleTable | null>(({ dataset, addIssue }) => {
    const table = new RuleTable()
    for (const message of problemsOf(listOf(dataset.value), table)) addIssue({ message })
    return table.isEmpty ? null : table
  }),
)

function listOf(written: WrittenRules): readonly RedirectRule[] {
  if (Array.isArray(written)) return written
  return Object.entries(written).map(([from, to]) =>
    typeof to === 'string' ? { from, to } : { ...to, from },
  )
}

/** Puts rules into a table, and gives a sentence for each that is wrong. */
function problemsOf(rules: readonly RedirectRule[], table: RuleTable): string[] {
  const problems: string[] = []
  for (const rule of rules) {
    try {
      table.add(readRule(rule))
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  return problems.length > 0 ? problems : table.circles()
}

const isFieldValue = (value: unknown): boolean => {
  try {
    return value !== '' && new HttpResponse(200).set('cache-control', value as string) !== null
  } catch {
    return false
  }
}

/** Checks the options of `redirects`. */
export const redirectsOptions: v.GenericSchema<RedirectsOptions, RedirectsSettings> = v.pipe(
  v.strictObject(
    {
      rules: v.optional(rules),
      status: v.optional(v.picklist(statuses, expected('301, 302, 303, 307 or 308')), 308),
      www: v.optional(v.picklist(['add', 'remove'], expected("'add' or 'remove'"))),
      trailingSlash: v.optional(v.picklist(['add', 'remove'], expected("'add' or 'remove'"))),
      cacheControl: v.optional(
        v.custom<string | false>(
          value => value === false || isFieldValue(value),
          expected("a field value such as 'max-age=600', or false"),
        ),
        'max-age=3600',
      ),
    },
    expected("options such as { rules: { '/old/:id': '/new/:id' } }"),
  ),
  v.transform(({ rules = null, www = null, trailingSlash = null, ...rest }) => ({
    table: rules,
    www,
    trailingSlash,
    ...rest,
  })),
  v.check(
    ({ table, www, trailingSlash }) => table !== null || www !== null || trailingSlash !== null,
    'expected rules, www or trailingSlash: these redirect nothing',
  ),
)
