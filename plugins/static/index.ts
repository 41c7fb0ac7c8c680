import { definePlugin, Handle, type HttpRequest, HttpResponse } from 'rawhttp'
import { type Answer, FileTable } from './file-table.ts'
import { checkRoot } from './root.ts'
import { staticOptions } from './schema.ts'

/**
 * Serves the files under a folder to GET and HEAD, with media type, Last-Modified and ETag; the kernel adds
 * conditional answers. A path without a file is passed on, so several instances look one after another.
 *
 * Nothing outside the folder is reached, whatever the spelling of the path and wherever a link leads; names that
 * begin with a dot are hidden, save `/.well-known/`. What the disk says is asked again after a second.
 *
 * @example
 * plugins: [staticFiles({ root: './public' })]
 *
 * @throws Error at start when `root` is not a folder that can be read.
 */
export const staticFiles = definePlugin({
  name: 'static',
  repeatable: true,
  options: staticOptions,
  async site(site, { root, index, dotfiles }) {
    const place = { root: site.resolve(root), index, dotfiles }
    await checkRoot(place.root)
    const files = new FileTable(place)
    site.hooks.handle.tapAsync({ name: 'static', stage: Handle.Static }, (request, callback) => {
      const known = isRead(request) ? files.fresh(request.path) : null
      if (known !== null) return callback(null, known)
      files.find(request.path, (error, answer) => callback(error, responseTo(request, answer)))
    })
    // A file that was replaced since its check cannot be sent as what the answer's head says, and the request fails.
    // That may hit one request, not all that come until the second is over.
    site.hooks.error.tap('static', (_error, { path }) => files.doubt(path))
    site.hooks.done.tap('static', ({ path }, _response, { result }) => {
      if (result === 'failed') files.doubt(path)
    })
  },
})

const isRead = ({ method }: HttpRequest): boolean => method === 'GET' || method === 'HEAD'

function responseTo(request: HttpRequest, answer: Answer): HttpResponse | undefined {
  if (answer === null) return undefined
  if (!isRead(request)) return void request.allow('GET', 'HEAD')
  return answer === 'folder' ? redirectToFolder(request) : answer
}

// A canonical path has one leading slash, so that Location can never name another host, as `//host` would.
function redirectToFolder({ path, search }: HttpRequest): HttpResponse {
  return HttpResponse.redirect(`${path}/${search}`, 301)
}
