import { expected } from 'rawhttp'
import * as v from 'valibot'
import { ruleIds } from './rules/index.ts'

/** Options of the linter. */
export interface LintOptions {
  /** Rules that are not looked at, by their ids. Default: none. */
  readonly ignore?: readonly string[] | undefined
}

/** What the options come to. */
export interface LintSettings {
  readonly ignore: ReadonlySet<string>
}

const options = v.strictObject(
  {
    ignore: v.optional(
      v.array(
        v.picklist(ruleIds, expected("the id of a rule such as 'cookie-shared'")),
        expected('a list of ids'),
      ),
      [],
    ),
  },
  expected("options such as { ignore: ['cookie-http-only'] }"),
)

export const lintOptions: v.GenericSchema<LintOptions | undefined, LintSettings> = v.pipe(
  // Lists are only read, and may be constants.
  v.optional(options as unknown as v.GenericSchema<LintOptions, v.InferOutput<typeof options>>, {}),
  v.transform(({ ignore }) => ({ ignore: new Set(ignore) })),
)
