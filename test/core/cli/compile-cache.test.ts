import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cannotRun } from '../../support/tools.ts'
import { repository, workspace } from '../config/workspace.ts'
import { launch, launchProgram, ready, run } from './run-cli.ts'

const source = JSON.stringify(join(repository, 'core/cli/compile-cache.ts'))

interface Answer {
  /** Why there is no cache. */
  readonly trouble: string | null
  /** Where Node has its cache now. */
  readonly folder: string | null
}

/** What becomes of the cache of a process with this environment. */
async function tried(env: Readonly<Record<string, string>>): Promise<Answer> {
  const program = `
    import { getCompileCacheDir } from 'node:module'
    import { useCompileCache } from ${source}
    const trouble = useCompileCache(process.env)
    console.log(JSON.stringify({ trouble, folder: getCompileCacheDir() ?? null }))`
  const command = [process.execPath, '--input-type=module', '--eval', program]
  const { stdout, stderr } = await launchProgram(command, { env }).finished
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

/** What Node calls the file that a module is kept in. */
async function nameOfKept(module: string): Promise<string> {
  const folder = workspace()
  await launchProgram([process.execPath, module], { env: { NODE_COMPILE_CACHE: folder } }).finished
  const files = globSync(join(folder, '*/*'))
  expect(files).toHaveLength(1)
  return basename(files[0]!)
}

/** A folder for caches, with one of rawhttp that has this mode. */
function cacheFolder(mode: number): { readonly home: string; readonly own: string } {
  const home = workspace()
  const own = join(home, 'rawhttp')
  mkdirSync(own)
  chmodSync(own, mode)
  return { home, own }
}

describe('the folder of the compile cache', () => {
  it('is made below XDG_CACHE_HOME, for this user alone', async () => {
    const home = join(workspace(), 'caches')
    const { trouble, folder } = await tried({ XDG_CACHE_HOME: home })
    expect(trouble).toBeNull()
    expect(folder).toMatch(new RegExp(`^${home}/rawhttp/`))
    expect(statSync(join(home, 'rawhttp')).mode & 0o777).toBe(0o700)
  })

  it.each([
    ['not set', {}],
    ['relative', { XDG_CACHE_HOME: 'caches' }],
  ])('is that of the home where XDG_CACHE_HOME is %s', async (_, env) => {
    const home = workspace()
    const { folder } = await tried({ ...env, HOME: home })
    const caches = process.platform === 'darwin' ? 'Library/Caches' : '.cache'
    expect(folder).toMatch(new RegExp(`^${home}/${caches}/rawhttp/`))
  })

  it('is not used when others may reach into it', async () => {
    for (const mode of [0o755, 0o711, 0o770, 0o1777]) {
      const { home, own } = cacheFolder(mode)
      const expected = { trouble: `${own} is open to others`, folder: null }
      expect(await tried({ XDG_CACHE_HOME: home })).toEqual(expected)
    }
  })

  it('is not used when others could put another one in its place', async () => {
    for (const mode of [0o777, 0o775]) {
      const { home } = cacheFolder(0o700)
      chmodSync(home, mode)
      const expected = { trouble: `${home} is open to others`, folder: null }
      expect(await tried({ XDG_CACHE_HOME: home })).toEqual(expected)
    }
  })

  it('may lie in a sticky folder, where nobody can', async () => {
    const { home } = cacheFolder(0o700)
    chmodSync(home, 0o1777)
    expect(await tried({ XDG_CACHE_HOME: home })).toMatchObject({ trouble: null })
  })

  it('is judged where a link leads', async () => {
    const { own } = cacheFolder(0o755)
    const home = workspace()
    symlinkSync(own, join(home, 'rawhttp'))
    expect(await tried({ XDG_CACHE_HOME: home })).toEqual({
      trouble: `${own} is open to others`,
      folder: null,
    })
  })

  it('is not used when it is somebody else’s', async () => {
    const { home, own } = cacheFolder(0o700)
    if (process.getuid?.() !== 0) cannotRun('Only root can give a folder away.')
    chownSync(own, 65_534, 65_534)
    expect(await tried({ XDG_CACHE_HOME: home })).toEqual({
      trouble: `${own} is open to others`,
      folder: null,
    })
  })

  it.each([
    ['there is no home', {}, /^there is no folder for caches, since HOME is not set$/],
    ['the home is no folder', { HOME: '/dev/null' }, /^ENOTDIR: .*\/dev\/null/],
  ])('is done without when %s', async (_, env, trouble) => {
    expect(await tried(env)).toEqual({ trouble: expect.stringMatching(trouble), folder: null })
  })

  it('yields to Node’s own variables', async () => {
    const home = workspace()
    const own = { XDG_CACHE_HOME: home }
    const elsewhere = workspace()
    const { folder } = await tried({ ...own, NODE_COMPILE_CACHE: elsewhere })
    expect(folder).toMatch(new RegExp(`^${elsewhere}/`))
    expect(await tried({ ...own, NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual({ trouble: null, folder: null })
    expect(readdirSync(home)).toEqual([])
  })
})

describe('rawhttp', () => {
  const site = { 'rawhttp.config.mjs': 'export default { listen: [{ port: 0 }] }' }

  it.each([[['start']], [['start', '--workers', '1']]])(
    'writes the cache while it serves, as %j',
    async args => {
      const cwd = workspace(site)
      const name = await nameOfKept(join(cwd, 'rawhttp.config.mjs'))
      const home = workspace()
      await ready(launch(args, { cwd, env: { XDG_CACHE_HOME: home } }))
      await expect.poll(() => globSync(join(home, 'rawhttp/*', name)), { timeout: 10_000 }).toHaveLength(1)
    },
  )

  it('empties a cache that has grown too large', async () => {
    const home = workspace()
    const { folder } = await tried({ XDG_CACHE_HOME: home })
    for (let index = 0; index < 2_001; index++) writeFileSync(join(folder!, `${index}`), '')
    const server = launch(['start'], { cwd: workspace(site), env: { XDG_CACHE_HOME: home } })
    await ready(server)
    server.child.kill('SIGTERM')
    await server.finished
    expect(existsSync(join(folder!, '0'))).toBe(false)
  })

  it('starts without a cache, and says why with --verbose', async () => {
    const cwd = workspace(site)
    const env = { HOME: '/dev/null' }
    expect(await run(['check'], { cwd, env })).toMatchObject({ code: 0, stderr: '' })
    const { code, stderr } = await run(['check', '--verbose'], { cwd, env })
    expect(code).toBe(0)
    expect(stderr).toMatch(/^rawhttp: no compile cache: ENOTDIR: [^\n]*\n$/)
  })
})
