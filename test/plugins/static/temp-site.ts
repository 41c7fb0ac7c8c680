import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Files by their path below the folder. */
export type Files = Readonly<Record<string, string | Uint8Array>>

/** A folder of real files, `public/` in it to be served, that goes away with the block that uses it. */
export interface TempSite extends AsyncDisposable {
  /** The folder around the root: nothing of it but `public/` may ever be seen. */
  readonly dir: string
  readonly root: string
  /** Writes files below {@link dir}, an hour old unless said otherwise, so that their tags are strong. */
  write(files: Files, age?: number): Promise<void>
}

/** Makes a folder with `files` in its `public/`. */
export async function tempSite(files: Files): Promise<TempSite> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'rawhttp-static-')))
  const root = join(dir, 'public')
  const write = async (more: Files, age = 3_600_000): Promise<void> => {
    for (const [name, content] of Object.entries(more)) await writeOld(join(dir, name), content, age)
  }
  await mkdir(root)
  await write(Object.fromEntries(Object.entries(files).map(([name, content]) => [`public/${name}`, content])))
  return { dir, root, write, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

async function writeOld(path: string, content: string | Uint8Array, age: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  const then = new Date(Date.now() - age)
  await utimes(path, then, then)
}
