import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { configOf, reloadServer } from './reload-server.ts'

const config = 'rawhttp.config.ts'
const imports = "import part from './parts/part.ts'"
const files = (word: string) => ({
  [config]: configOf({ imports, answer: 'part' }),
  'parts/part.ts': `export default '${word}'`,
})
const watched = (first = files('one')) => reloadServer(first, ['--watch'])

describe('--watch', () => {
  it('reloads when a module of the config changes, and says which', async () => {
    const { running, write, text } = await watched()
    await text()
    write({ 'parts/part.ts': "export default 'two'" })
    await running.line(/^rawhttp: reloaded rawhttp\.config\.ts: parts\/part\.ts changed$/)
    expect(await text()).toBe('two')
  })

  it('reloads when a file is written in place', async () => {
    const { cwd, running, text } = await watched()
    writeFileSync(join(cwd, 'parts/part.ts'), "export default 'two'")
    await running.line(/^rawhttp: reloaded/)
    expect(await text()).toBe('two')
  })

  it('says why it has not reloaded, serves on, and takes the next change', async () => {
    const { running, write, text } = await watched()
    write({ 'parts/part.ts': 'export default ' })
    await running.line(/^rawhttp: not reloaded, the config before goes on serving$/)
    await running.line(/parts\/part\.ts, line 1: syntax error/)
    expect(await text()).toBe('one')
    write({ 'parts/part.ts': "export default 'two'" })
    await running.line(/^rawhttp: reloaded/)
    expect(await text()).toBe('two')
  })

  it('sees a module come that was missing, and its folder too', async () => {
    const { running, write, text } = await watched()
    write({ [config]: configOf({ imports: "import part from './new/deep/part.ts'", answer: 'part' }) })
    await running.line(/Cannot find module '\S+new\/deep\/part\.ts'/)
    write({ 'new/deep/part.ts': "export default 'two'" })
    await running.line(/^rawhttp: reloaded/)
    expect(await text()).toBe('two')
  })

  it('sees changes in a folder that was replaced', async () => {
    const { cwd, write, text } = await watched()
    const folder = join(cwd, 'parts')
    mkdirSync(`${folder}.new`)
    writeFileSync(join(`${folder}.new`, 'part.ts'), "export default 'two'")
    renameSync(folder, `${folder}.old`)
    renameSync(`${folder}.new`, folder)
    rmSync(`${folder}.old`, { recursive: true })
    await vi.waitFor(async () => expect(await text()).toBe('two'), 10_000)
    write({ 'parts/part.ts': "export default 'three'" })
    await vi.waitFor(async () => expect(await text()).toBe('three'), 10_000)
  })

  it('does nothing for a file that was written with what it held, or that is no module of the config', async () => {
    const { running, write, text } = await watched()
    await text()
    write({ 'parts/part.ts': "export default 'one'", 'parts/other.ts': 'export {}' })
    write({ 'parts/part.ts': "export default 'one'" })
    await new Promise(resolve => setTimeout(resolve, 400))
    running.child.kill('SIGTERM')
    expect((await running.finished).stderr).not.toContain('reloaded')
  })

  it.each([
    ['development', [], {}],
    ['staging', ['--mode', 'staging'], {}],
  ])('sets the mode %s', async (mode, args) => {
    const made = configOf({ answer: 'mode', top: 'let mode' }).replace(
      'export default defineConfig(',
      'export default context => (mode = context.mode, ',
    )
    const { text } = await reloadServer({ [config]: `${made}` }, ['--watch', ...args])
    expect(await text()).toBe(mode)
  })

  it('takes the config that comes to a folder which had none', async () => {
    const { running, write, text } = await reloadServer({ 'index.html': 'zero' }, ['--watch', '--port', '0'])
    expect(await text()).toBe('zero')
    write({ [config]: configOf({ answer: "'one'" }) })
    await running.line(/^rawhttp: reloaded rawhttp\.config\.ts: rawhttp\.config\.ts changed$/)
    expect(await text()).toBe('one')
  })
})
