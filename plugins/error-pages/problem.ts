import { reasonPhrase } from 'rawhttp'
import type { Failure } from './template.ts'

/**
 * Problem details of an error (RFC 9457). They say no more than the status, so their type is `about:blank`, whose
 * title is the reason phrase (section 4.2.1).
 */
export function problemOf({ status, detail, requestId }: Failure): string {
  return JSON.stringify({
    type: 'about:blank',
    title: reasonPhrase(status),
    status,
    detail: detail ?? undefined,
    requestId,
  })
}
