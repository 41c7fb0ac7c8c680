import * as v from 'valibot'
import { type FormatName, formats } from './formats.ts'

/** Options of the access log. */
export interface AccessLogOptions {
  /**
   * `combined` (Apache's, also nginx's default), `common` (the same without referer and user agent) or `json`.
   * Default: `combined`.
   */
  readonly format?: FormatName | undefined
  /**
   * The file that lines are appended to; its folder must exist. A relative path counts from the config file's
   * folder. Default: standard output.
   */
  readonly file?: string | URL | undefined
}

export interface AccessLogSettings {
  readonly format: FormatName
  readonly file: string | URL | null
}

const isPath = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '') || (value instanceof URL && value.protocol === 'file:')

export const settings: v.GenericSchema<AccessLogOptions | undefined, AccessLogSettings> = v.pipe(
  v.optional(
    v.strictObject({
      format: v.optional(v.picklist(Object.keys(formats) as FormatName[]), 'combined'),
      file: v.optional(v.custom<string | URL>(isPath, 'expected a path or a file: URL')),
    }),
    {},
  ),
  v.transform(({ format, file = null }) => ({ format, file })),
)
