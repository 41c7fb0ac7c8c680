import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from 'rawhttp'
import { BUILT_IN_PAGE } from './built-in-page.ts'
import { PAGE_NAME } from './schema.ts'
import { compilePage, type Page } from './template.ts'

const builtIn = compilePage(BUILT_IN_PAGE)

/** The pages of a site, in memory, by `404` or `4xx`. */
export class Pages {
  readonly #byName: ReadonlyMap<string, Page>

  constructor(byName: ReadonlyMap<string, Page>) {
    this.#byName = byName
  }

  /** The page of a status: its own, else that of its hundred, else the built-in one. */
  find(status: number): Page {
    const name = String(status)
    return this.#byName.get(name) ?? this.#byName.get(`${name[0]}xx`) ?? builtIn
  }
}

/** The files of the pages, absolute. */
export interface PageFiles {
  readonly root: string | null
  readonly pages: Readonly<Record<string, string>>
}

/**
 * Reads all pages into memory, so that an error needs no disk.
 *
 * @throws ConfigError that names the option and the file or folder that cannot be read, or that has no page in it.
 */
export async function loadPages({ root, pages }: PageFiles): Promise<Pages> {
  const byName = new Map<string, Page>()
  if (root !== null) await addFolder(byName, root)
  for (const [name, file] of Object.entries(pages)) {
    byName.set(name, compilePage(await readPage(`pages[${name}]`, file)))
  }
  return new Pages(byName)
}

async function addFolder(byName: Map<string, Page>, root: string): Promise<void> {
  const files = await readdir(root).catch((error: unknown) => fail('root', 'folder', root, error))
  for (const file of files) {
    const name = file.replace(/\.html$/, '')
    if (name === file || !PAGE_NAME.test(name)) continue
    byName.set(name, compilePage(await readPage('root', join(root, file))))
  }
  if (byName.size === 0) {
    const expected = 'a folder with pages such as 404.html, 4xx.html or 5xx.html'
    throw new ConfigError({ path: 'root', expected, received: `a folder without any: ${root}` })
  }
}

function readPage(option: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => fail(option, 'file', file, error))
}

function fail(option: string, kind: 'folder' | 'file', path: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException
  const received = `${code === 'ENOENT' ? `no such ${kind}` : (code ?? 'an error')}: ${path}`
  throw new ConfigError({ path: option, expected: `a ${kind} that can be read`, received }, { cause: error })
}
