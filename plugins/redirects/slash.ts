import type { PluginSite } from 'rawhttp'

/** The form of a path that is the right one; the path itself when it has it. */
export type RightPath = (path: string) => string

/** What `trailingSlash` makes of paths. */
export function rightPath(slash: 'add' | 'remove' | null): RightPath {
  if (slash === null) return path => path
  const change = slash === 'add' ? withSlash : withoutSlash
  // What is below has forms of its own (RFC 8615).
  return path => (path.startsWith('/.well-known/') ? path : change(path))
}

// A dot in the last segment is the extension of a file.
function withSlash(path: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1)
  return last === '' || last.includes('.') ? path : `${path}/`
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/**
 * Tells the operator, once, when another plugin sends a request to the very path that this one brings back here: a
 * client would go round until it gives up.
 */
export function tellCircle(site: PluginSite, right: RightPath): void {
  let isTold = false
  site.hooks.deliver.tap('redirects:circle', (response, { path, log }) => {
    if (isTold || response.status < 300 || response.status > 399) return
    const [to = ''] = response.headers.get('location')?.split(/[?#]/, 1) ?? []
    if (to === path || !to.startsWith('/') || right(to) !== path) return
    isTold = true
    log.error(`${path} is sent to ${to}, which trailingSlash sends back; a client goes round in a circle`)
  })
}
