import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RawClient } from '../../support/raw-client.ts'
import { configOf, reloadServer, runtimeFolder } from './reload-server.ts'
import { run } from './run-cli.ts'

const config = 'rawhttp.config.ts'
const answering = (text: string) => ({ [config]: configOf({ answer: `'${text}'` }) })

describe('rawhttp reload', () => {
  it('has the server load its config again, and prints what came of it', async () => {
    const { runtime, write, text } = await reloadServer(answering('one'))
    write(answering('two'))
    const reloaded = await run(['reload'], { env: { XDG_RUNTIME_DIR: runtime } })
    expect(reloaded).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^rawhttp: reloaded \S+\n$/),
      stderr: '',
    })
    expect(await text()).toBe('two')
  })

  it('exits with 78 for a broken config, and the old one serves on', async () => {
    const { runtime, url, write, text, running } = await reloadServer(answering('one'))
    write({ [config]: 'export default { listn: [] }' })
    const { port } = new URL(url)
    const { code, stderr } = await run(['reload', '--port', port], { env: { XDG_RUNTIME_DIR: runtime } })
    const reason = "rawhttp.config.ts: listn: unknown option; did you mean 'listen'?"
    expect(code).toBe(78)
    expect(stderr).toBe(`rawhttp: not reloaded, the config before goes on serving\nrawhttp: ${reason}\n`)
    expect(await running.line(/listn/)).toContain(reason)
    expect(await text()).toBe('one')
  })

  it('finds the server by --control, which start has too', async () => {
    const path = join(runtimeFolder(), 'control.sock')
    const { text, write } = await reloadServer(answering('one'), ['--control', path])
    await text()
    write(answering('two'))
    expect((await run(['reload', '--control', path])).code).toBe(0)
    expect(await text()).toBe('two')
  })

  it.each([
    ['without a folder for sockets', [], {}, 'expected --control PATH, since XDG_RUNTIME_DIR is not set'],
    ['with a folder', ['site'], {}, "rawhttp reload takes only flags, got 'site'"],
    ['with a flag of start', ['--watch'], {}, 'rawhttp reload has no flag --watch'],
  ])('is wrong usage %s: exit code 2', async (_, args, env, sentence) => {
    expect(await run(['reload', ...args], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: `rawhttp: ${sentence}\n`,
    })
  })

  it('asks for the port where there are several servers, and says where there is none', async () => {
    const runtime = runtimeFolder()
    const env = { XDG_RUNTIME_DIR: runtime }
    expect((await run(['reload'], { env })).stderr).toBe(
      `rawhttp: no server has a control socket in ${runtime}; --control PATH names one\n`,
    )
    for (const port of [1, 2]) {
      const server = createServer().listen(join(runtime, `rawhttp-${port}.sock`))
      onTestFinished(() => void server.close())
    }
    expect((await run(['reload'], { env })).stderr).toContain(
      'expected --port N, since there are rawhttp-1.sock',
    )
    const { code, stderr } = await run(['reload', '--port', '3'], { env })
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('no server has this control socket: is one running?'),
    ])
  })
})

describe('what a reload loads afresh', () => {
  // Each answers with "one" at first: then the file is changed.
  it.each([
    ['a module', 'part.ts', "import part from './part.ts'", 'part', 'export default "one"'],
    [
      'JSON',
      'part.json',
      "import part from './part.json' with { type: 'json' }",
      'part.text',
      '{"text":"one"}',
    ],
    ['CommonJS', 'part.cjs', "import part from './part.cjs'", 'part', 'module.exports = "one"'],
    ['CommonJS of CommonJS', 'deep.cjs', "import part from './part.cjs'", 'part()', 'module.exports = "one"'],
    ['JSON of CommonJS', 'deep.json', "import part from './json.cjs'", 'part.text', '{"text":"one"}'],
    [
      'a module that a handler imports',
      'late.ts',
      '',
      "(await import('./late.ts')).default",
      'export default "one"',
    ],
    [
      'a module that CommonJS imports',
      'late.mjs',
      "import part from './late.cjs'",
      '(await part()).default',
      'export default "one"',
    ],
    ['a module with a query', 'part.ts', "import part from './part.ts?a=1'", 'part', 'export default "one"'],
    [
      'what a required file exports',
      'part.cjs',
      "import { createRequire } from 'node:module'",
      "createRequire(import.meta.url)('./part.cjs')",
      'module.exports = "one"',
    ],
  ])('is %s', async (_, name, imports, answer, first) => {
    const parts = {
      'part.cjs': "module.exports = () => require('./deep.cjs')",
      'json.cjs': "module.exports = require('./deep.json')",
      'late.cjs': "module.exports = () => import('./late.mjs')",
    }
    const { write, reload, text } = await reloadServer({
      ...parts,
      [name]: first,
      [config]: configOf({ imports, answer }),
    })
    expect(await text()).toBe('one')
    for (const word of ['two', 'three']) {
      write({ [name]: first.replace('one', word) })
      expect(await reload()).toMatchObject({ code: 0 })
      expect(await text()).toBe(word)
    }
  })

  it('is a plugin that a JSON config names, and what it imports', async () => {
    const plugin = `
      import { definePlugin, Handle, HttpResponse } from 'rawhttp'
      import { part } from './part.ts'
      export default definePlugin({ name: 'p', options: (word: string) => word, site(site, word) {
        site.hooks.handle.tap({ name: 'p', stage: Handle.Route }, () => HttpResponse.text(word + ' ' + part))
      } })`
    const json = (word: string) => JSON.stringify({ listen: [{ port: 0 }], plugins: [['./plugin.ts', word]] })
    const { write, reload, text } = await reloadServer({
      'rawhttp.config.json': json('first'),
      'plugin.ts': plugin,
      'part.ts': 'export const part = "one"',
    })
    expect(await text()).toBe('first one')
    write({ 'part.ts': 'export const part = "two"' })
    await reload()
    expect(await text()).toBe('first two')
    write({ 'rawhttp.config.json': json('second') })
    await reload()
    expect(await text()).toBe('second two')
  })

  it('is a package of the workspace, which is only linked into node_modules', async () => {
    const { cwd, write, reload, text } = await reloadServer({
      'packages/part/package.json': '{"name":"part","type":"module","exports":"./index.js"}',
      'packages/part/index.js': 'export default "one"',
      [config]: configOf({ answer: "(await import('part')).default" }),
    })
    symlinkSync('../packages/part', join(cwd, 'node_modules/part'))
    expect(await text()).toBe('one')
    write({ 'packages/part/index.js': 'export default "two"' })
    await reload()
    expect(await text()).toBe('two')
  })

  it('is the file that a link leads to by now', async () => {
    const { cwd, write, reload, text } = await reloadServer({
      'a/part.ts': 'export default "one"',
      'b/part.ts': 'export default "two"',
      [config]: configOf({ answer: "(await import('./now/part.ts')).default" }),
    })
    symlinkSync('a', join(cwd, 'now'))
    expect(await text()).toBe('one')
    symlinkSync('b', join(cwd, 'next'))
    renameSync(join(cwd, 'next'), join(cwd, 'now'))
    expect((await reload()).text).not.toContain('have not changed')
    expect(await text()).toBe('two')
    write({})
  })

  it('is neither a package nor rawhttp itself, which go by identity', async () => {
    const parts = (word: string) => ({
      'part.ts': `export default '${word}'`,
      'node_modules/part/package.json': '{"type":"module","exports":"./index.js"}',
      'node_modules/part/index.js': `export default '${word}'`,
    })
    const imports = `
      import installed from 'part'
      import part from './part.ts'
      import { cache } from 'rawhttp/plugins/cache'
      const seen = (globalThis.seen ??= new Set()).add(HttpResponse).add(cache)`
    const files = {
      ...parts('one'),
      [config]: configOf({ imports, answer: "part + ' ' + installed + ' ' + seen.size" }),
    }
    const { write, reload, text } = await reloadServer(files)
    expect(await text()).toBe('one one 2')
    write(parts('two'))
    await reload()
    expect(await text()).toBe('two one 2')
  })

  it('is nothing where no file has changed, but a config function is called again', async () => {
    const count = (word: string) => `
      export { default } from './made.ts'
      globalThis.loaded = (globalThis.loaded ?? 0) + 1
      // ${word}`
    const made = configOf({ answer: "globalThis.loaded + ' ' + globalThis.called" }).replace(
      'export default defineConfig(',
      'export default () => (globalThis.called = (globalThis.called ?? 0) + 1, ',
    )
    const { write, reload, text } = await reloadServer({ [config]: count('a'), 'made.ts': made })
    expect(await text()).toBe('1 1')
    expect((await reload()).text).toBe(`rawhttp: reloaded ${await name()}, whose modules have not changed\n`)
    expect(await text()).toBe('1 2')
    write({ [config]: count('b') })
    expect((await reload()).text).toBe(`rawhttp: reloaded ${await name()}\n`)
    expect(await text()).toBe('2 3')
    async function name() {
      return config
    }
  })
})

describe('a config that is broken', () => {
  const start = (text: string) => configOf({ more: text })
  it.each([
    ['does not parse', 'export default {', 78, /rawhttp\.config\.ts: line 1: syntax error: /],
    ['throws', '\nthrow new Error("boom")', 78, /rawhttp\.config\.ts: line 2: boom\n$/],
    ['lacks a module', "import './none.ts'", 78, /rawhttp\.config\.ts: Cannot find module '\S+none\.ts'/],
    ['imports what throws', "import './bad.ts'", 78, /rawhttp\.config\.ts: bad\.ts, line 3: boom\n$/],
    ['exports nothing', 'const a = 1', 78, /rawhttp\.config\.ts: expected a default export/],
    [
      'has a mistake',
      'export default { limits: { headers: 0 } }',
      78,
      /limits\.headers: expected a whole number/,
    ],
    [
      'has TLS without tls()',
      'export default { listen: [{ port: 0, tls: true }] }',
      78,
      /listen\[0\]\.tls: /,
    ],
    ['fails in a setup', start('server() { throw new Error("no set-up") },'), 78, /no set-up/],
    [
      'fails at start',
      start('server({ hooks }) { hooks.start.tapPromise("s", async () => { throw new Error("no disk") }) },'),
      1,
      /rawhttp\.config\.ts: plugins\[0\]: plugin "answering", start tap "s": no disk/,
    ],
    [
      'has an address that cannot be had',
      'export default { listen: [{ port: 0, host: "192.0.2.1" }] }',
      1,
      /192\.0\.2\.1:0 is not an address/,
    ],
  ])('%s: the old one serves on, and it is said why, of the real file', async (_, text, code, sentence) => {
    const server = await reloadServer({ ...answering('one'), 'bad.ts': '\n\nthrow new Error("boom")' })
    server.write({ [config]: text })
    const outcome = await server.reload()
    expect(outcome.text).toMatch(sentence)
    expect(outcome.code).toBe(code)
    expect(outcome.text).not.toContain('rawgen')
    expect(await server.text()).toBe('one')
    server.write(answering('two'))
    expect(await server.reload()).toMatchObject({ code: 0 })
    expect(await server.text()).toBe('two')
  })

  it('and handlers that throw show stacks of the real files', async () => {
    const throwing = configOf({ answer: '(() => { throw new Error("in a handler") })()' })
    const server = await reloadServer(answering('one'), ['--verbose'])
    server.write({ [config]: throwing })
    await server.reload()
    await server.text()
    server.write({ [config]: 'throw new Error("boom")' })
    const { text } = await server.reload()
    expect(text).toMatch(/Error: boom\n {4}at file:\/\/\S+\/rawhttp\.config\.ts:1:7\n/)
    server.running.child.kill('SIGTERM')
    const { stderr } = await server.running.finished
    expect(stderr).toMatch(/in a handler.*\n {4}at .*rawhttp\.config\.ts:\d+:\d+/)
    expect(stderr).not.toContain('rawgen')
  })

  it('that is gone does not make the folder public', async () => {
    const { cwd, reload, text } = await reloadServer(answering('one'))
    rmSync(join(cwd, config))
    expect(await reload()).toEqual({
      code: 78,
      text: expect.stringMatching(/rawhttp\.config\.ts: expected a config file, got none any more\n$/),
    })
    expect(await text()).toBe('one')
  })

  it('leaves the old one the CommonJS that it has, and reverting it imports nothing', async () => {
    const good = configOf({
      imports: "import { createRequire } from 'node:module'\nimport './part.cjs'",
      answer: "createRequire(import.meta.url)('./part.cjs')",
    })
    const { write, reload, text } = await reloadServer({
      [config]: good,
      'part.cjs': 'module.exports = "one"',
    })
    write({ [config]: `${good}\nthrow new Error("boom")`, 'part.cjs': 'module.exports = "two"' })
    expect((await reload()).code).toBe(78)
    expect(await text()).toBe('one')
    write({ [config]: good, 'part.cjs': 'module.exports = "one"' })
    expect((await reload()).text).toContain('whose modules have not changed')
    expect(await text()).toBe('one')
  })
})

describe('what cannot be loaded afresh', () => {
  it('is an ES module that CommonJS requires, and that is said', async () => {
    const { cwd, write, reload, text } = await reloadServer({
      'part.cjs': "module.exports = require('./part.mjs').part",
      'part.mjs': 'export const part = "one"',
      [config]: configOf({ imports: "import part from './part.cjs'", answer: 'part' }),
    })
    write({ 'part.mjs': 'export const part = "two"' })
    const sentence = 'is an ES module that CommonJS requires: it stays what it was until a restart'
    expect((await reload()).text).toContain(`rawhttp: ${join(cwd, 'part.mjs')} ${sentence}\n`)
    expect(await text()).toBe('one')
    write({ 'part.mjs': 'export const part = "three"' })
    expect((await reload()).text).toContain(sentence)
    expect(await text()).toBe('one')
  })
})

describe('the listeners', () => {
  const listening = (text: string, listen: string) => ({
    [config]: configOf({ answer: `'${text}'` }).replace('[{ port: 0 }]', listen),
  })

  it('are opened and closed as the config says, and those that stay keep their connections', async () => {
    const sockets = runtimeFolder()
    const [one, two] = [join(sockets, 'one'), join(sockets, 'two')]
    const unix = (path: string) => `[{ port: 0 }, { path: '${path}' }]`
    const { url, write, reload } = await reloadServer(listening('first', unix(one)))
    await using kept = await RawClient.connect(Number(new URL(url).port))
    await using gone = await RawClient.open({ path: one })
    const ask = async (client: RawClient) => {
      client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
      return String((await client.response()).body)
    }
    expect([await ask(kept), await ask(gone)]).toEqual(['first', 'first'])
    write(listening('second', unix(two)))
    expect((await reload()).text.split('\n').slice(1)).toEqual([
      `rawhttp: listening on unix:${two}`,
      `rawhttp: no longer listening on unix:${one}`,
      '',
    ])
    await using opened = await RawClient.open({ path: two })
    expect([await ask(kept), await ask(gone), await ask(opened)]).toEqual(['second', 'second', 'second'])
    await expect(RawClient.open({ path: one })).rejects.toThrow()
  })

  it('have the port of the flag in a reload too', async () => {
    const { write, reload, text } = await reloadServer(listening('first', '[{ port: 1 }]'), ['--port', '0'])
    write(listening('second', '[{ port: 2 }]'))
    expect(await reload()).toMatchObject({ code: 0 })
    expect(await text()).toBe('second')
  })

  it('of one port cannot change their address while the server runs, and that is said', async () => {
    const { url, write, reload } = await reloadServer(listening('first', '[{ port: 0 }]'))
    const { port } = new URL(url)
    write(listening('second', `[{ port: 0 }, { port: ${port}, host: '0.0.0.0' }]`))
    expect((await reload()).text).toContain(`0.0.0.0:${port} is in use already`)
  })
})
