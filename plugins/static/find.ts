import { join } from 'node:path'
import { type ByteText, fromSegment } from './byte-text.ts'
import { type Coding, extensions } from './codings.ts'
import { isReadable, Look, type Seen } from './disk.ts'
import { wantedNames } from './names.ts'

/** Where files come from, and which of them. */
export interface Place {
  readonly root: ByteText
  readonly index: readonly ByteText[]
  readonly dotfiles: boolean
  /** Whether links may lead out of the root. */
  readonly follows: boolean
  readonly cleanUrls: boolean
  readonly listing: boolean
  /** Which siblings are looked for. */
  readonly precompressed: readonly Coding[]
}

/** A file that stands beside another and holds it under a coding. */
interface Sibling extends Seen {
  readonly coding: Coding
}

/** A regular file that may be served. */
export interface FoundFile extends Seen {
  readonly kind: 'file'
  readonly siblings: readonly Sibling[]
  /** All that the choice of this file hung on. */
  readonly look: Look
}

export type Found =
  | FoundFile
  /** The path has another form, which is the one to use: canonical, without query. */
  | { readonly kind: 'redirect'; readonly path: string }
  /** A folder to be listed, and how many folders below the root it is. */
  | { readonly kind: 'folder'; readonly real: ByteText; readonly depth: number }
  | null

/**
 * Looks a canonical request path up on the disk.
 *
 * @throws HttpError 403 for what the server may not read, and Error for faults of the disk.
 */
export async function find(place: Place, path: string): Promise<Found> {
  const look = new Look(place.root, place.follows)
  const found = await findIn(look, place, path)
  if (found === null || 'kind' in found) return found
  const clean = place.cleanUrls ? cleanPath(place, path) : null
  // Only where the short form leads to this very file, and not to another one that is in its way.
  if (clean !== null && (await leadsTo(look, place, clean, found))) return { kind: 'redirect', path: clean }
  const siblings = await siblingsOf(look, place, found)
  return { ...found, kind: 'file', siblings, look }
}

type Step = Seen | Exclude<Found, FoundFile>

async function findIn(look: Look, place: Place, path: string): Promise<Step> {
  const wanted = wantedNames(path, place.dotfiles)
  if (wanted === null) return null
  const asked = join(place.root, ...wanted.names)
  if (wanted.isFolder) return (await findIndex(look, place, asked)) ?? findFolder(look, place, asked, wanted)
  const seen = await look.at(asked)
  if (seen?.stats.isFile()) return (await isReadable(seen)) ? seen : null
  const page = place.cleanUrls ? await findPage(look, place, path) : null
  if (page !== null || !seen?.stats.isDirectory()) return page
  const isServed = place.listing || (await findIndex(look, place, asked)) !== null
  return isServed ? { kind: 'redirect', path: `${path}/` } : null
}

async function findIndex(look: Look, place: Place, folder: ByteText): Promise<Seen | null> {
  for (const name of place.index) {
    const seen = await look.at(join(folder, name))
    if (seen?.stats.isFile()) return (await isReadable(seen)) ? seen : null
  }
  return null
}

/** `/page` stands for `page.html`. */
async function findPage(look: Look, place: Place, path: string): Promise<Seen | null> {
  const wanted = wantedNames(`${path}.html`, place.dotfiles)
  const seen = wanted === null ? null : await look.at(join(place.root, ...wanted.names))
  return seen?.stats.isFile() && (await isReadable(seen)) ? seen : null
}

async function findFolder(
  look: Look,
  place: Place,
  asked: ByteText,
  { names }: { readonly names: readonly ByteText[] },
): Promise<Found> {
  if (!place.listing) return null
  const seen = await look.at(asked)
  if (!seen?.stats.isDirectory() || !(await isReadable(seen))) return null
  return { kind: 'folder', real: seen.real, depth: names.length }
}

/** The short form of a path to a page, null when it has none. */
function cleanPath(place: Place, path: string): string | null {
  const cut = path.lastIndexOf('/') + 1
  const name = path.slice(cut)
  const file = fromSegment(name)
  if (file !== null && (place.index.includes(file) || place.index.includes(`${file}.html`)))
    return path.slice(0, cut)
  return name.endsWith('.html') ? path.slice(0, -'.html'.length) : null
}

async function leadsTo(look: Look, place: Place, path: string, file: Seen): Promise<boolean> {
  const found = await findIn(look, place, path)
  return found !== null && !('kind' in found) && found.asked === file.asked
}

async function siblingsOf(look: Look, place: Place, file: Seen): Promise<readonly Sibling[]> {
  const siblings: Sibling[] = []
  for (const coding of place.precompressed) {
    const seen = await look.fileAt(file.asked + extensions[coding])
    // An older one was made of what the file was before.
    if (seen !== null && seen.stats.mtimeNs >= file.stats.mtimeNs) siblings.push({ ...seen, coding })
  }
  return siblings
}
