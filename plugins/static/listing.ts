import type { BigIntStats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import Negotiator from 'negotiator'
import { type HttpRequest, HttpResponse } from 'rawhttp'
import { type ByteText, diskPath, toSegment, toText } from './byte-text.ts'
import { isAbsent, Look } from './disk.ts'
import type { Place } from './find.ts'
import { listingPage, pagePolicy } from './listing-page.ts'
import { isServable } from './names.ts'

/** More than that nobody reads, and a folder of a million files would keep the server busy. */
const MOST = 10_000

/** How many entries are looked at at a time: others use the disk, too. */
const AT_ONCE = 32

/** Milliseconds for which a list is taken as true. */
const TRUE_FOR = 1_000

/** Lists that are kept for that time. */
const KEPT = 8

/** What a folder has, as it is shown. */
export interface Listed {
  /** For people: names that are not UTF-8 show U+FFFD. `href` always leads there. */
  readonly name: string
  readonly type: 'folder' | 'file'
  /** Bytes; null for a folder. */
  readonly size: number | null
  /** When it was changed last. */
  readonly modified: Date
  /** A relative reference, escaped. */
  readonly href: string
}

export interface Listing {
  readonly entries: readonly Listed[]
  /** Whether that is all. */
  readonly isComplete: boolean
}

interface Folder {
  readonly real: ByteText
  /** How many folders below the root. */
  readonly depth: number
}

interface Kept {
  readonly at: number
  readonly listing: Promise<Listing | null>
}

/** Lists folders; all who ask for one within a second share one look at the disk. */
export class Listings {
  readonly #place: Place
  readonly #most: number
  readonly #kept = new Map<ByteText, Kept>()

  constructor(place: Place, most = MOST) {
    this.#place = place
    this.#most = most
  }

  /**
   * The list of a folder that was found, as a page, or as JSON to who likes that better; undefined when the folder
   * is gone.
   */
  async answer({ real, depth }: Folder, request: HttpRequest): Promise<HttpResponse | undefined> {
    const listing = await this.#of(real, depth)
    if (listing === null) return undefined
    const response = likesJson(request.headers.get('accept'))
      ? HttpResponse.json(jsonOf(listing, request.path))
      : HttpResponse.html(listingPage(listing, request.path)).set('content-security-policy', pagePolicy())
    return response.set('cache-control', 'no-cache').vary('Accept')
  }

  #of(folder: ByteText, depth: number): Promise<Listing | null> {
    const now = Date.now()
    const known = this.#kept.get(folder)
    if (known !== undefined && now >= known.at && now - known.at < TRUE_FOR) return known.listing
    const listing = this.#read(folder, depth)
    this.#kept.delete(folder)
    this.#kept.set(folder, { at: now, listing })
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!)
    listing.catch(() => this.#kept.delete(folder))
    return listing
  }

  async #read(folder: ByteText, depth: number): Promise<Listing | null> {
    const found = await this.#names(folder, depth).catch(nullIfAbsent)
    if (found === null) return null
    const { names, isComplete } = found
    const entries: (Entry | null)[] = []
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE).map(name => this.#entry(join(folder, name), name))
      entries.push(...(await Promise.all(some)))
    }
    const shown = entries.filter(entry => entry !== null).sort(inOrder)
    return { entries: shown.map(listed), isComplete }
  }

  async #names(folder: ByteText, depth: number) {
    const names: ByteText[] = []
    for await (const { name } of await opendir(diskPath(folder), { encoding: 'latin1' })) {
      if (!isServable(name, depth, this.#place.dotfiles)) continue
      if (names.length === this.#most) return { names, isComplete: false }
      names.push(name)
    }
    return { names, isComplete: true }
  }

  // What would not be served is not shown: a link out of the root, or to nothing; devices and sockets.
  async #entry(path: ByteText, name: ByteText): Promise<Entry | null> {
    const own = await lstat(diskPath(path), { bigint: true }).catch(nullIfAbsent)
    const stats = own?.isSymbolicLink() === true ? await this.#target(path) : own
    return stats?.isFile() === true || stats?.isDirectory() === true
      ? { name, text: toText(name), stats }
      : null
  }

  async #target(link: ByteText): Promise<BigIntStats | null> {
    const look = new Look(this.#place.root, this.#place.follows)
    const seen = await look.at(link).catch(() => null)
    return seen === null ? null : seen.stats
  }
}

function nullIfAbsent(error: unknown): null {
  if (isAbsent(error)) return null
  throw error
}

interface Entry {
  readonly name: ByteText
  readonly text: string
  readonly stats: BigIntStats
}

let collator: Intl.Collator | undefined

/** `file2` stands before `file10`, and `Readme` beside `readme`, wherever the server runs. */
function compare(a: string, b: string): number {
  // To make one takes 8 ms, which no start shall wait for.
  collator ??= new Intl.Collator('en', { numeric: true })
  return collator.compare(a, b)
}

function inOrder(a: Entry, b: Entry): number {
  const isFolder = a.stats.isDirectory()
  if (isFolder !== b.stats.isDirectory()) return isFolder ? -1 : 1
  return compare(a.text, b.text) || (a.name < b.name ? -1 : 1)
}

function listed({ name, text, stats }: Entry): Listed {
  const isFolder = stats.isDirectory()
  return {
    name: text,
    type: isFolder ? 'folder' : 'file',
    size: isFolder ? null : Number(stats.size),
    modified: stats.mtime,
    // A name with a colon would be a URL with a scheme otherwise.
    href: `./${toSegment(name)}${isFolder ? '/' : ''}`,
  }
}

function likesJson(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const negotiator = new Negotiator({ headers: { accept } })
  return negotiator.mediaType(['text/html', 'application/json']) === 'application/json'
}

const jsonOf = ({ entries, isComplete }: Listing, path: string) => ({ path, entries, isComplete })
