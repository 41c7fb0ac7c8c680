const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/**
 * Text as it may stand in HTML: safe between tags and within quoted attributes.
 *
 * @example
 * HttpResponse.html(`<p>Hello, ${escapeHtml(name)}!</p>`)
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, character => ENTITIES[character]!)
}
