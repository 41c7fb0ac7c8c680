import { expected, PatternTable, readRuleOption } from 'rawhttp'
import * as v from 'valibot'
import { type RewriteRule, type RewriteTarget, type Rule, readRule } from './rule.ts'

/** Rules by path pattern, or in a list. The first that is for a request has it. */
export type RewritesOptions = Readonly<Record<`/${string}`, string | RewriteTarget>> | readonly RewriteRule[]

// Texts, methods and hosts are checked where they are read.
const target = {
  to: v.string(expected("a path such as '/v1/:id'")),
  query: v.optional(v.picklist(['keep', 'drop'], expected("'keep' or 'drop'"))),
  methods: v.optional(v.any()),
  hosts: v.optional(v.any()),
}

const list = v.array(
  v.strictObject(
    { from: v.string(expected("a path pattern such as '/api/:id'")), ...target },
    expected("a rule such as { from: '/api/*', to: '/v1/*' }"),
  ),
)

const expectedTarget = expected("a path such as '/v1/:id', or a rule such as { to: '/v1', query: 'drop' }")

const byPath = v.record(
  v.string(),
  v.lazy(value => (typeof value === 'string' ? v.string() : v.strictObject(target, expectedTarget))),
  expected("paths by path such as { '/api/*': '/v1/*' }, or a list of rules"),
)

type WrittenRules = v.InferOutput<typeof list> | v.InferOutput<typeof byPath>

/** Checks the options of `rewrites`. */
export const rewritesOptions: v.GenericSchema<RewritesOptions, PatternTable<Rule>> = v.pipe(
  v.lazy(value => (Array.isArray(value) ? list : byPath) as v.GenericSchema<RewritesOptions, WrittenRules>),
  v.rawTransform<WrittenRules, PatternTable<Rule>>(({ dataset, addIssue }) => {
    const table = new PatternTable<Rule>()
    const rules = listOf(dataset.value)
    if (rules.length === 0) addIssue({ message: 'expected at least one rule, got none' })
    for (const rule of rules) {
      try {
        add(readRule(rule), table)
      } catch (error) {
        addIssue({ message: (error as Error).message })
      }
    }
    return table
  }),
)

function listOf(written: WrittenRules): readonly RewriteRule[] {
  if (Array.isArray(written)) return written
  return Object.entries(written).map(([from, to]) =>
    typeof to === 'string' ? { from, to } : { ...to, from },
  )
}

function add(rule: Rule, table: PatternTable<Rule>): void {
  const { pattern } = rule
  const { text } = pattern
  const cover = table.coverOf(pattern, ({ fits }) => fits === null)
  if (cover !== null)
    throw new Error(
      `${JSON.stringify(text)}: is never reached; ${JSON.stringify(cover.pattern.text)} stands before it and takes its path`,
    )
  readRuleOption(text, 'from', () => table.add(pattern, rule))
}
