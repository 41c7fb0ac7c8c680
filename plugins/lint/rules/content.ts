import { printable } from 'rawhttp'
import { type Answer, mediaTypeOf } from '../answer.ts'
import type { Rule } from '../rule.ts'

/** Text that is UTF-8 whatever a charset says. */
const ALWAYS_UTF8 = new Set(['text/event-stream', 'text/vtt'])

/** Media types that are compressed already; SVG and bitmaps are not. */
const COMPRESSED =
  /^(?:image\/(?!svg|bmp|x-icon|vnd\.microsoft)|video\/|audio\/(?!wav|x-wav|midi)|font\/woff2?$|application\/(?:gzip|x-gzip|zip|zstd|x-bzip2?|x-xz|x-7z-compressed|java-archive|vnd\.rar)$)/

const TEXT = /^text\/|[/+](?:json|xml|javascript)$|^image\/svg/

/** Bytes of text from which on its compression is missed. */
const MANY_BYTES = 32_768

/** What is said of the body. */
export const content: readonly Rule[] = [
  {
    id: 'type-missing',
    section: 'RFC 9110 8.3',
    field: null,
    check: ({ fields, hasBody }) =>
      hasBody && !fields.has('content-type')
        ? 'the body has no Content-Type: browsers guess, and may take it for a page with scripts'
        : null,
  },
  {
    id: 'charset-missing',
    section: 'RFC 9110 8.3.2',
    field: 'content-type',
    check: (answer, value) =>
      lacksCharset(answer, value) ? `${printable(value, 64)} names no charset: clients guess one` : null,
  },
  {
    id: 'nosniff-missing',
    section: 'Fetch, X-Content-Type-Options',
    field: null,
    check: answer =>
      isOfUsers(answer) && !isNosniff(answer)
        ? 'what may come of users lacks X-Content-Type-Options: nosniff, without which browsers run it as a script'
        : null,
  },
  {
    id: 'coding-double',
    section: 'RFC 9110 8.4',
    field: 'content-encoding',
    check: (answer, value) => {
      const codings = answer.fields.get('content-encoding')!.split(',')
      if (codings.length > 1)
        return `the body is encoded ${codings.length} times; most clients undo only one coding`
      const type = mediaTypeOf(answer)
      return COMPRESSED.test(type) && value.trim().toLowerCase() !== 'identity'
        ? `${printable(type, 64)} is compressed already; a coding on top makes it no smaller`
        : null
    },
  },
  {
    id: 'text-uncompressed',
    section: 'RFC 9110 8.4.1',
    field: null,
    check: answer =>
      isLargeText(answer)
        ? `${answer.bodyBytes} bytes of text went out uncompressed to a client that takes gzip; compression() does that`
        : null,
  },
  {
    id: 'disposition-raw',
    section: 'RFC 6266 4.3',
    field: 'content-disposition',
    check: (_answer, value) => badDisposition(value),
  },
]

function lacksCharset({ status }: Answer, value: string): boolean {
  const type = value.split(';', 1)[0]!.trim().toLowerCase()
  return (
    status !== 304 && type.startsWith('text/') && !ALWAYS_UTF8.has(type) && !/;\s*charset\s*=/i.test(value)
  )
}

/** Bytes of which nobody has said what they are, and what is offered to be saved. */
function isOfUsers(answer: Answer): boolean {
  const isWhole = answer.status === 200 || answer.status === 206
  const isUnknown = mediaTypeOf(answer) === 'application/octet-stream'
  return isWhole && answer.hasBody && (isUnknown || answer.fields.has('content-disposition'))
}

const isNosniff = ({ fields }: Answer): boolean =>
  fields.get('x-content-type-options')?.toLowerCase() === 'nosniff'

function isLargeText(answer: Answer): boolean {
  const { bodyBytes, directives, fields, request, status } = answer
  const type = mediaTypeOf(answer)
  return (
    status === 200 &&
    bodyBytes >= MANY_BYTES &&
    TEXT.test(type) &&
    type !== 'text/event-stream' &&
    !fields.has('content-encoding') &&
    !directives.has('no-transform') &&
    /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|\s|$))/i.test(request.headers.get('accept-encoding') ?? '')
  )
}

function badDisposition(value: string): string | null {
  if (/[^\x20-\x7e]/.test(value)) return "a name has characters beyond ASCII; filename*=UTF-8''… carries them"
  const name = /;\s*filename\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)/i.exec(value)?.[1]?.trim()
  if (name === undefined) return null
  if (!name.startsWith('"') && !/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
    return 'a name with other characters than those of a token has to stand in double quotes'
  return /%[\da-f]{2}/i.test(name) ? 'some clients decode escapes in filename; filename* is for them' : null
}
