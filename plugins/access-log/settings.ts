import { type Duration, expected, isDuration, isPath, parseDuration } from 'rawhttp'
import * as v from 'valibot'
import { type FieldName, problemWith } from './fields.ts'
import { type FormatName, type Formats, formatsOf, JSON_FIELDS, named } from './formats.ts'
import { type MaskSettings, masksOf } from './mask.ts'
import { type Sampling, samplingOf } from './sampling.ts'
import { problemWithTemplate } from './template.ts'

/** A line with fields in braces: `'{client} {method} {path} {status} {request.accept}'`. */
export type Template = `${string}{${string}}${string}`

/** Options of the access log. */
export interface AccessLogOptions {
  /**
   * `combined` (Apache's, also nginx's default), `common` (the same without referer and user agent), `json`, or a
   * template. Default: `combined`.
   */
  readonly format?: FormatName | Template | undefined
  /**
   * What `json` has: names of fields, or fields by the names that they get: `{ '@timestamp': 'time' }`.
   * Default: those that the README lists.
   */
  readonly fields?: readonly FieldName[] | Readonly<Record<string, FieldName>> | undefined
  /**
   * The file that lines are appended to; folders that are not there are made. A relative path counts from the site's
   * `dir`, among the root plugins from the config file's folder. Default: standard output.
   */
  readonly file?: string | URL | undefined
  /** The share of ordinary exchanges that are logged, 0 to 1; errors and slow ones always are. Default: 1. */
  readonly sample?: number | undefined
  /** From when on an exchange counts as slow. Default: `'1s'`. */
  readonly slow?: Duration | undefined
  /** What is hidden. */
  readonly mask?:
    | {
        /** Whether addresses of clients lose their last 8 bits, IPv6 all but the first 48. Default: false. */
        readonly addresses?: boolean | undefined
        /**
         * Whose values in queries become `***`: `'secrets'` by their names, `'all'`, a list of further names beside
         * the secrets, or `false` for nobody's. Default: `'secrets'`.
         */
        readonly query?: MaskSettings['query'] | undefined
        /** Whether values of cookies, credentials and keys become `***` where a field shows them. Default: true. */
        readonly credentials?: boolean | undefined
      }
    | undefined
}

/** What the options come to. */
export interface AccessLogSettings {
  /** The one that was asked for, and the same with ever shorter text. */
  readonly formats: Formats
  readonly file: string | URL | null
  readonly sampling: Sampling
}

/** A string that a function has nothing against, else its sentence. */
const checked = <T extends string>(problem: (text: string) => string | null, what: string) =>
  v.pipe(
    v.custom<T>(value => typeof value === 'string', expected(what)),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? problem(dataset.value) : null
      if (message !== null) addIssue({ message })
    }),
  )

const formatNames = [...Object.keys(named), 'json']
const expectedFormat = "'combined', 'common', 'json' or a template such as '{client} {status}'"

function problemWithFormat(format: string): string | null {
  if (formatNames.includes(format)) return null
  if (!format.includes('{')) return `expected ${expectedFormat}, got '${format}'`
  return problemWithTemplate(format)
}

const field = checked<FieldName>(problemWith, "the name of a field such as 'status'")
const expectedFields = "names of fields, or fields by name such as { '@timestamp': 'time' }"
const fieldsByName = v.record(v.string(), field, expected(expectedFields))
const expectedQuery = "'secrets', 'all', false or a list of further names"
const flag = (fallback: boolean) => v.optional(v.boolean(expected('true or false')), fallback)

const mask = v.strictObject(
  {
    addresses: flag(false),
    query: v.optional(
      v.union(
        [v.literal(false), v.picklist(['secrets', 'all']), v.array(v.string())],
        expected(expectedQuery),
      ),
      'secrets',
    ),
    credentials: flag(true),
  },
  expected('what to hide such as { addresses: true }'),
)

const options = v.strictObject(
  {
    format: v.optional(checked<FormatName | Template>(problemWithFormat, expectedFormat), 'combined'),
    fields: v.optional(
      v.pipe(
        v.lazy(fields => (Array.isArray(fields) ? v.array(field) : fieldsByName)),
        v.check(fields => Object.keys(fields).length > 0, 'expected at least one field, got none'),
      ),
    ),
    file: v.optional(v.custom<string | URL>(isPath, 'expected a path or a file: URL')),
    sample: v.optional(
      v.custom<number>(
        value => Number(value) === value && value >= 0 && value <= 1,
        expected('a share from 0 to 1'),
      ),
      1,
    ),
    slow: v.optional(v.custom<Duration>(isDuration, expected("a duration such as 1000 or '1s'")), 1_000),
    mask: v.optional(mask, {}),
  },
  expected("options such as { format: 'json' }"),
)

export const settings: v.GenericSchema<AccessLogOptions | undefined, AccessLogSettings> = v.pipe(
  v.optional(options, {}),
  v.forward(
    v.check(({ format, fields }) => fields === undefined || format === 'json', "is for format 'json' only"),
    ['fields'],
  ),
  v.transform(({ format, fields, file = null, sample, slow, mask }) => ({
    formats: formatsOf(format, jsonFields(fields, sample), masksOf(mask)),
    file,
    sampling: samplingOf({ sample, slow: parseDuration(slow) }),
  })),
)

/** Sums over sampled lines are scaled by `sample`: they are of no use without it. */
function jsonFields(fields: AccessLogOptions['fields'], sample: number): Readonly<Record<string, FieldName>> {
  if (fields !== undefined && !Array.isArray(fields)) return fields as Readonly<Record<string, FieldName>>
  const names = fields ?? (sample < 1 ? [...JSON_FIELDS, 'sample'] : JSON_FIELDS)
  return Object.fromEntries((names as readonly FieldName[]).map(name => [name, name]))
}
