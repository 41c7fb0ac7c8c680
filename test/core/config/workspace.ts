import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { whenOver } from '../../support/when-over.ts'

export const repository = join(import.meta.dirname, '../../..')

/** A temp folder with the given files, removed when the test is over. */
export function workspace(files: Readonly<Record<string, string>> = {}): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'rawhttp-config-')))
  whenOver(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    const file = join(dir, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return dir
}

/** Makes `import 'rawhttp'` work in a workspace, as `npm install` would. */
export function installRawhttp(dir: string): void {
  mkdirSync(join(dir, 'node_modules'), { recursive: true })
  symlinkSync(repository, join(dir, 'node_modules/rawhttp'))
}

interface Printed {
  readonly loaded?: { readonly file: string; readonly dir: string; readonly config: unknown } | null
  readonly plugins?: readonly {
    readonly name: string
    readonly settings: unknown
    readonly from: string | null
  }[]
  readonly error?: { readonly name: string; readonly message: string; readonly file?: string }
}

interface Where {
  readonly folder?: string
  readonly file?: string
  readonly mode?: string
  readonly env?: Readonly<Record<string, string>>
  readonly processDir?: string
}

/** Loads the config of a folder in a process of its own. */
export async function load(cwd: string, where: Where = {}, resolve = false): Promise<Printed> {
  const { processDir = cwd, ...rest } = where
  const options = JSON.stringify({ cwd, command: 'check', mode: 'production', env: {}, ...rest })
  const script = join(repository, 'test/fixtures/config/load-config.ts')
  const args = ['--conditions=rawhttp-source', script, options, ...(resolve ? ['resolve'] : [])]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: processDir })
  return JSON.parse(stdout) as Printed
}

/** The message of the error that a folder's config gives. */
export async function loadError(cwd: string, where: Where = {}, resolve = false): Promise<string> {
  const { error } = await load(cwd, where, resolve)
  return error === undefined ? 'no error' : `${error.name}: ${error.message}`
}
