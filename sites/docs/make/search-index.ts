import MiniSearch from 'minisearch'
import type { Part } from './markdown.ts'

/** A part of a page that can be found. */
interface Found {
  readonly id: string
  readonly page: string
  readonly title: string
  readonly text: string
}

/** What the script in the browser has to know of the index to read it: the same stands in assets/search.js. */
const indexOptions = { fields: ['title', 'page', 'text'], storeFields: ['page', 'title'] }

/** The index of all pages as JSON: made here, so that the browser need only read it. */
export function searchIndex(
  pages: readonly { readonly path: string; readonly title: string; readonly parts: readonly Part[] }[],
): string {
  const index = new MiniSearch<Found>(indexOptions)
  for (const { path, title, parts } of pages) {
    for (const { heading, text } of parts) {
      const id = heading.depth === 1 ? path : `${path}#${heading.id}`
      index.add({ id, page: title, title: heading.text, text })
    }
  }
  return JSON.stringify(index)
}
