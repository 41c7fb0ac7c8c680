import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HttpResponse } from 'rawhttp'
import { documentAt } from './document.ts'
import { STYLE } from './style.ts'

/** The scripts are a browser's: plain JavaScript, the same file in a checkout and in the published package. */
const folder = join(import.meta.dirname, 'page')

// Nothing but what this plugin serves, no inline code, and no text that becomes markup.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** All files of the page by their whole path. They are read once: the page is as its server is. */
export async function readAssets(path: string, isAlone: boolean): Promise<ReadonlyMap<string, HttpResponse>> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.js'))
  const scripts = await Promise.all(
    names.map(async name => [`${path}/${name}`, await readFile(join(folder, name), 'utf8')] as const),
  )
  return new Map([
    [path, asset(documentAt(path, isAlone), 'text/html; charset=utf-8')],
    [`${path}/style.css`, asset(STYLE, 'text/css; charset=utf-8')],
    ...scripts.map(([name, text]) => [name, asset(text, 'text/javascript; charset=utf-8')] as const),
  ])
}

const asset = (text: string, type: string): HttpResponse =>
  HttpResponse.text(text, { headers }).set('content-type', type)
