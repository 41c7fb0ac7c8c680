import { ConfigError, expected, parseScope } from 'rawhttp'
import * as v from 'valibot'
import { problemWithField, type Verb } from './fields.ts'
import { compileRule, type HeadersRule, type Rule, type StatusName } from './rule.ts'

/** One rule, or a list: all that are for an answer count, in their order. */
export type HeadersOptions = HeadersRule | readonly HeadersRule[]

const isStatus = (value: unknown): boolean =>
  value === 101 || (Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599)

const isStatusName = (value: unknown): boolean =>
  isStatus(value) || (typeof value === 'string' && /^(?:[1-5]xx|error)$/.test(value))

const isStatuses = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && value.every(isStatusName) : isStatusName(value)

const text = v.string(expected('the value of a field, a string'))
const lines = v.union([text, v.array(text)], expected('the value of a field, or a list of them'))

/** Fields that the kernel lets a verb have. */
function fields<T extends string | string[]>(verb: Verb, value: v.GenericSchema<T>) {
  const expectedFields = expected("fields such as { 'x-robots-tag': 'noindex' }")
  return v.optional(
    v.pipe(
      // A list has names of its own: `0`, `1` …
      v.custom<Record<string, T>>(byName => !Array.isArray(byName), expectedFields),
      v.record(v.string(), value, expectedFields),
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed) return
        for (const [name, values] of Object.entries<T>(dataset.value)) {
          const message = problemWithField(verb, name, [values].flat())
          if (message !== null) addIssue({ message })
        }
      }),
    ),
  )
}

const name = v.pipe(
  v.string(expected('the name of a field')),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? problemWithField('remove', dataset.value, []) : null
    if (message !== null) addIssue({ message })
  }),
)

const shape = v.strictObject(
  {
    // What narrows is checked where it is read.
    path: v.optional(v.any()),
    methods: v.optional(v.any()),
    hosts: v.optional(v.any()),
    status: v.optional(
      v.custom<StatusName | readonly StatusName[]>(
        isStatuses,
        expected("a status such as 404, '2xx' or 'error', or a list of them"),
      ),
    ),
    remove: v.optional(v.array(name, expected("names of fields such as ['x-powered-by']"))),
    set: fields('set', text),
    default: fields('default', text),
    append: fields('append', lines),
  },
  expected("a rule such as { path: '/assets/*', set: { 'x-robots-tag': 'noindex' } }, or a list"),
)

const rule = v.pipe(
  shape,
  v.check(
    ({ remove, set, append, ...rest }) => (remove ?? set ?? append ?? rest.default) !== undefined,
    'expected remove, set, default or append: this changes nothing',
  ),
  v.rawTransform<v.InferOutput<typeof shape>, Rule>(({ dataset, addIssue, NEVER }) => {
    const { path, methods, hosts, ...rest } = dataset.value
    try {
      return compileRule(rest, parseScope({ path, methods, hosts }))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      addIssue({ message: `${error.path}: ${error.detail}` })
      return NEVER
    }
  }),
)

/** Checks the options of `headers`. */
export const headersOptions: v.GenericSchema<HeadersOptions, readonly Rule[]> = v.pipe(
  v.lazy(
    value => (Array.isArray(value) ? v.array(rule) : rule) as v.GenericSchema<HeadersOptions, Rule | Rule[]>,
  ),
  v.transform(rules => [rules].flat()),
)
