import type { Rule } from '../rule.ts'
import { caching } from './caching.ts'
import { content } from './content.ts'
import { cookies } from './cookies.ts'
import { obsolete } from './obsolete.ts'
import { security } from './security.ts'
import { statuses } from './statuses.ts'
import { syntax } from './syntax.ts'

/** All rules. */
export const rules: readonly Rule[] = [
  ...caching,
  ...content,
  ...cookies,
  ...security,
  ...statuses,
  ...syntax,
  ...obsolete,
]

/** What `ignore` may name. */
export const ruleIds: readonly string[] = [...new Set(rules.map(({ id }) => id))].sort()
