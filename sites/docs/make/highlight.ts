import { createRequire } from 'node:module'
import { escapeHtml } from 'rawhttp'

/** What is used of highlight.js. Its own types would bring those of a browser into every file of the project. */
interface Highlighter {
  getLanguage(name: string): unknown
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { readonly value: string }
}

const require = createRequire(import.meta.url)
const hljs = require('highlight.js') as Highlighter

/** Colours as classes, never as styles: the policy of the site has no place for those. Other languages stay as they are. */
export function highlighted(code: string, language: string): string {
  return hljs.getLanguage(language) === undefined
    ? escapeHtml(code)
    : hljs.highlight(code, { language, ignoreIllegals: true }).value
}
