import * as v from 'valibot'

// "Expected … but received …" is the form that the kernel turns into "expected …, got …" with the option's path.
const expected = (what: string) => (issue: v.BaseIssue<unknown>) =>
  `Invalid type: Expected ${what} but received ${issue.received}`

const isPath = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '') || (value instanceof URL && value.protocol === 'file:')

const isFileName = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value !== '.' && value !== '..' && !/[/\\\0]/.test(value)

const isIndex = (value: unknown): boolean => Array.isArray(value) && value.every(isFileName)

/** The options of `staticFiles`. */
export const staticOptions = v.strictObject(
  {
    /** The folder whose files are served: a path, or a `file:` URL. A relative one counts from the site's `dir`. */
    root: v.custom<string | URL>(isPath, expected("a folder such as './public', or a file: URL")),
    /** What answers for a folder: the first of these names that it has. Empty: nothing. Default: `['index.html']`. */
    index: v.optional(
      v.custom<readonly string[]>(isIndex, expected("a list of file names such as ['index.html']")),
      () => ['index.html'],
    ),
    /** Whether names that begin with a dot are served. `/.well-known/` always is (RFC 8615). Default: false. */
    dotfiles: v.optional(v.boolean(expected('true or false')), false),
  },
  expected("options such as { root: './public' }"),
)
