const MARK = 'rawgen'

/** The URL of a module as one load of the config has it: Node keeps a module for each URL. */
export function marked(url: string, load: number): string {
  const fresh = new URL(url)
  fresh.search += `${fresh.search === '' ? '' : '&'}${MARK}=${load}`
  return fresh.href
}

/** The load that a module's URL is marked with, or null. */
export function markOf(url: string): number | null {
  const found = /[?&]rawgen=(\d+)(?:&|#|$)/.exec(url)?.[1]
  return found === undefined ? null : Number(found)
}

/** A text of Node's, an error's message or stack, with the files called what they are called on the disk. */
export const unmarked = (text: string): string => text.replaceAll(/[?&]rawgen=\d+/g, '')
