import { escapeHtml, reasonPhrase } from 'rawhttp'

/** What is told of an error. */
export interface Failure {
  readonly status: number
  /** Text that the client may see. */
  readonly detail: string | null
  readonly requestId: string | undefined
}

/** Makes the page of one error. */
export type Page = (failure: Failure) => string

const PLACEHOLDER = /\{\{\s*(status|reason|detail|requestId)\s*\}\}/

/**
 * Prepares a page. `{{status}}`, `{{reason}}`, `{{detail}}` and `{{requestId}}` are filled in, escaped for HTML: the
 * detail may hold what a client sent. Other braces stay as they are, since the page's own scripts may use them.
 */
export function compilePage(html: string): Page {
  // Split by a group: the texts between stand at even places, the names at odd ones.
  const parts = html.split(PLACEHOLDER)
  return ({ status, detail, requestId }) => {
    const values = {
      status: String(status),
      reason: escapeHtml(reasonPhrase(status)),
      detail: escapeHtml(detail ?? ''),
      requestId: escapeHtml(requestId ?? ''),
    }
    return parts.map((part, at) => (at % 2 === 0 ? part : values[part as keyof typeof values])).join('')
  }
}
