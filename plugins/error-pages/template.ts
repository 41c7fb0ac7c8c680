import { reasonPhrase } from 'rawhttp'

/** Makes the page of one error. */
export type Page = (status: number, detail: string | null) => string

const PLACEHOLDER = /\{\{\s*(status|reason|detail)\s*\}\}/

/**
 * Prepares a page. `{{status}}`, `{{reason}}` and `{{detail}}` are filled in, escaped for HTML: the detail may hold
 * what a client sent. Other braces stay as they are, since the page's own scripts may use them.
 */
export function compilePage(html: string): Page {
  // Split by a group: the texts between stand at even places, the names at odd ones.
  const parts = html.split(PLACEHOLDER)
  return (status, detail) => {
    const values = {
      status: String(status),
      reason: escapeHtml(reasonPhrase(status)),
      detail: escapeHtml(detail ?? ''),
    }
    return parts.map((part, at) => (at % 2 === 0 ? part : values[part as keyof typeof values])).join('')
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Safe between tags and within quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, character => ENTITIES[character]!)
}
