import { expected, isPath } from 'rawhttp'
import * as v from 'valibot'

/** The name of a page: one status, or all of a hundred. */
export const PAGE_NAME = /^(?:[45]\d\d|[45]xx)$/

const pageName = v.pipe(v.string(), v.regex(PAGE_NAME, expected("a status from 400 to 599, '4xx' or '5xx'")))

const page = v.custom<string | URL>(isPath, expected("a file such as './404.html', or a file: URL"))

/** The options of `errorPages`. */
export const errorPagesOptions = v.optional(
  v.strictObject(
    {
      /** A folder with pages by name: `404.html`, `4xx.html`, `5xx.html`. A relative one counts from the site's `dir`. */
      root: v.optional(
        v.custom<string | URL>(isPath, expected("a folder such as './errors', or a file: URL")),
      ),
      /** Pages one by one: `{ 404: './lost.html', '5xx': './failed.html' }`. They win over those in `root`. */
      pages: v.optional(v.record(pageName, page, expected("pages by status such as { 404: './404.html' }"))),
      /** What a client gets that takes anything: `html` for a page, `problem` for problem details. Default: `html`. */
      prefer: v.optional(v.picklist(['html', 'problem'], expected("'html' or 'problem'")), 'html'),
    },
    expected("options such as { root: './errors' }"),
  ),
  {},
)

export type ErrorPagesSettings = v.InferOutput<typeof errorPagesOptions>
