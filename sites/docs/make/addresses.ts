import { readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import type { Addresses } from './markdown.ts'
import { fromRoot } from './root.ts'
import type { Source } from './sources.ts'

/** Files of the project that pages show or lead to: where they are served, by their path from the root. */
export type Assets = Map<string, string>

/**
 * Turns the addresses of a page, which hold in the repository, into those of the site: of another page, of a picture, or
 * of a file of the project, which is then served as text.
 *
 * @throws Error naming the page for what is not there.
 */
export function addressesOf(page: Source, pathOf: ReadonlyMap<string, string>, assets: Assets): Addresses {
  const found = (href: string): string => {
    const file = posix.join(posix.dirname(page.file ?? '.'), href)
    if (!isFile(file)) throw new Error(`${page.file ?? page.path}: there is no file ${href}`)
    return file
  }
  return {
    link(href) {
      if (/^(?:https?:|#|\/)/.test(href)) return href
      const [path = '', hash] = href.split('#')
      const file = found(path)
      const address = pathOf.get(file) ?? served(file, 'source', assets)
      return hash === undefined ? address : `${address}#${hash}`
    },
    picture(href) {
      const file = found(href)
      return { src: served(file, 'pictures', assets), ...sizeOf(file) }
    },
  }
}

function served(file: string, folder: string, assets: Assets): string {
  // A name with a dot in front is not served.
  const name = folder === 'pictures' ? posix.basename(file) : file.replaceAll(/(^|\/)\./g, '$1')
  const address = `/${folder}/${name}`
  assets.set(file, address)
  return address
}

const isFile = (file: string): boolean =>
  statSync(fromRoot(file), { throwIfNoEntry: false })?.isFile() ?? false

/** Width and height, so that a page does not move when its pictures come. */
function sizeOf(file: string): { width: number; height: number } {
  const bytes = readFileSync(fromRoot(file))
  if (file.endsWith('.png')) return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(bytes.toString()) ?? []
  if (height === undefined) throw new Error(`${file}: expected a viewBox that begins at 0 0`)
  return { width: Number(width), height: Number(height) }
}
