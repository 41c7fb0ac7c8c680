import { definePlugin, Handle, type HttpRequest, HttpResponse, ROOT_SITE, Slots, sharedTaps } from 'rawhttp'
import { chooser } from './codings.ts'
import { fallbackPlace, placeOf, requestPathOf, rulesOf } from './compile.ts'
import { asFallback, isForApplication } from './fallback.ts'
import { type FormFor, formFor } from './file-response.ts'
import { FileTable } from './file-table.ts'
import { Listings } from './listing.ts'
import { checkFallback, checkRoot, checkRootNow } from './root.ts'
import { staticOptions } from './schema.ts'

export type { StaticOptions } from './schema.ts'

/**
 * Serves the files under a folder to GET and HEAD, with media type, Last-Modified, ETag and Cache-Control; the kernel
 * adds conditional answers and ranges. A path without a file is passed on, so several instances look one after another.
 *
 * Nothing outside the folder is reached, whatever the spelling of the path and wherever a link leads; names that
 * begin with a dot are hidden, save `/.well-known/`. What the disk says is asked again after a second.
 *
 * @example
 * plugins: [staticFiles({ root: './public' })]
 *
 * @example
 * plugins: [staticFiles({ root: './dist', fallback: 'index.html', precompressed: true })]
 *
 * @throws ConfigError at start when `root` is not a folder that can be read, or `fallback` is no file in it.
 */
export const staticFiles = definePlugin({
  name: 'static',
  repeatable: true,
  options: staticOptions,
  async site(site, settings) {
    const root = site.resolve(settings.root)
    await checkRoot(root)
    if (settings.required && site.name !== ROOT_SITE)
      site.server.get(Slots.health).add({ name: `static:${root}`, run: () => checkRootNow(root) })
    const place = placeOf(settings, root)
    const rules = rulesOf(settings)
    const form = formFor(chooser(place.precompressed))
    const files = { files: new FileTable(place, rules), listings: new Listings(place), form }
    site.hooks.handle.tapAsync({ name: 'static', stage: Handle.Static }, fileTap(site, files))
    if (settings.fallback === false) return
    const pages = fallbackPlace(place)
    await checkFallback(pages, settings.fallback)
    const path = requestPathOf(settings.fallback)
    const { dotfiles } = settings
    const page = { files: new FileTable(pages, rules, 1), path, form, dotfiles }
    site.hooks.handle.tapAsync({ name: 'static:fallback', stage: Handle.Fallback }, fallbackTap(site, page))
  },
})

type Callback = (error?: Error | null, answer?: HttpResponse) => void
type Tap = (request: HttpRequest, callback: Callback) => void

/** What an instance has of a site's files. */
interface Served {
  readonly files: FileTable
  readonly listings: Listings
  readonly form: FormFor
}

const fileTap = sharedTaps<Served, Tap>('static', own => (request, callback) => {
  const { files, listings, form } = own(request)
  const known = isRead(request) ? files.fresh(request.path) : null
  if (known !== null) return callback(null, form(request, known))
  files.find(request.path, (error, answer) => {
    if (error !== null || answer === null) return callback(error)
    if (!isRead(request)) return callback(null, void request.allow('GET', 'HEAD'))
    if (answer.kind === 'file') return callback(null, form(request, answer))
    if (answer.kind === 'redirect') return callback(null, redirect(request, answer.path))
    listings.answer(answer, request).then(response => callback(null, response), callback)
  })
})

/** The page of an application, and when it is one's answer. */
interface Fallback {
  readonly files: FileTable
  readonly path: string
  readonly form: FormFor
  readonly dotfiles: boolean
}

const fallbackTap = sharedTaps<Fallback, Tap>('static:fallback', own => (request, callback) => {
  const { files, path, form, dotfiles } = own(request)
  if (!isForApplication(request, dotfiles)) return callback(null)
  const known = files.fresh(path)
  if (known !== null) return callback(null, asFallback(form(request, known)))
  files.find(path, (error, answer) => {
    if (answer?.kind !== 'file') return callback(error)
    callback(null, asFallback(form(request, answer)))
  })
})

const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'

// A canonical path has one leading slash, so that Location can never name another host, as `//host` would.
function redirect({ search }: HttpRequest, path: string): HttpResponse {
  return HttpResponse.redirect(`${path}${search}`, 301)
}
