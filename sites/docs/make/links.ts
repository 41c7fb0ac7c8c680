/** What is known of the links of the site. */
export interface LinkReport {
  /** One sentence for each that leads nowhere. */
  readonly dead: readonly string[]
  /** How many lead to other sites: those are not followed. */
  readonly external: number
}

/** Checks every `href` and `src` of the pages, given by their path, against the pages, their ids and the other files. */
export function checkLinks(pages: ReadonlyMap<string, string>, files: ReadonlySet<string>): LinkReport {
  const ids = new Map([...pages].map(([path, html]) => [path, idsOf(html)]))
  const dead: string[] = []
  let external = 0
  for (const [path, html] of pages) {
    for (const [, address] of html.matchAll(/ (?:href|src)="([^"]*)"/g)) {
      if (/^https?:/.test(address!)) external += 1
      else if (!leadsSomewhere(address!, path, ids, files)) dead.push(`${path}: ${address} leads nowhere`)
    }
  }
  return { dead, external }
}

const idsOf = (html: string): ReadonlySet<string> =>
  new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!))

function leadsSomewhere(
  address: string,
  from: string,
  ids: ReadonlyMap<string, ReadonlySet<string>>,
  files: ReadonlySet<string>,
): boolean {
  const [path = '', hash] = address.split('#')
  const target = path === '' ? from : path
  if (files.has(target)) return hash === undefined
  return ids.get(target)?.has(hash ?? 'main') ?? false
}
