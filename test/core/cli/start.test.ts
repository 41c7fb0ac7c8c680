import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { repository, workspace } from '../config/workspace.ts'
import { launch, ready, run } from './run-cli.ts'

const kernel = (path: string) => JSON.stringify(join(repository, 'core', path))

/** A config whose plugin answers every request, slowly at /slow. */
const config = `
import { definePlugin } from ${kernel('plugin.ts')}
import { HttpResponse } from ${kernel('response.ts')}
import { Handle } from ${kernel('stages.ts')}
import { setTimeout } from 'node:timers/promises'
const hello = definePlugin({
  name: 'hello',
  site(site) {
    site.hooks.handle.tapPromise({ name: 'hello', stage: Handle.Route }, async request => {
      if (request.path === '/slow') {
        process.stderr.write('slow\\n')
        await setTimeout(700)
      }
      if (request.path === '/never') {
        process.stderr.write('never\\n')
        await setTimeout(60_000)
      }
      return HttpResponse.text('hello from ' + mode)
    })
  },
})
let mode
export default context => {
  mode = context.mode
  return { listen: [{ port: LISTEN }], plugins: [hello] }
}
`
const files = (port = 0) => ({ 'rawhttp.config.mjs': config.replace('LISTEN', String(port)) })

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

describe('rawhttp start', () => {
  it('serves the sites of the config and prints each address', async () => {
    const running = launch(['start', '--mode', 'staging'], { cwd: workspace(files()) })
    const url = await ready(running)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(url)).text()).toBe('hello from staging')
  })

  it('takes the port of the flag before PORT, and PORT before the config', async () => {
    const taken = await takenPort()
    const cwd = workspace(files(taken))
    const byFlag = launch(['start', '--port', '0'], { cwd, env: { PORT: String(taken) } })
    const byVariable = launch(['start'], { cwd, env: { PORT: '0' } })
    for (const running of [byFlag, byVariable]) expect((await fetch(await ready(running))).status).toBe(200)
    const { code, stderr } = await run(['start'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toBe(
      `rawhttp: 127.0.0.1:${taken} is in use already: stop what runs there, or choose another port with --port (0 picks a free one)\n`,
    )
  })

  it('listens where --host says', async () => {
    const running = launch(['start', '--host', '127.0.0.2'], { cwd: workspace(files()) })
    expect(await ready(running)).toMatch(/^http:\/\/127\.0\.0\.2:/)
  })

  it('says with one line that an address is not of this machine', async () => {
    const { code, stderr } = await run(['start', '--host', '192.0.2.1'], { cwd: workspace(files()) })
    expect([code, stderr]).toEqual([
      1,
      'rawhttp: 192.0.2.1:0 is not an address of this machine: choose another with --host\n',
    ])
  })

  it('finds the config of a folder', async () => {
    const cwd = workspace({ 'site/rawhttp.config.mjs': files()['rawhttp.config.mjs'] })
    const running = launch(['start', 'site', '--verbose'], { cwd })
    await ready(running)
    expect(await running.line(/config /)).toContain(join(cwd, 'site/rawhttp.config.mjs'))
  })

  it.each([
    ['prints', ['--verbose'], ['info: plugin "hello": it asked', 'warning: plugin "hello": it went']],
    ['leaves out', [], ['warning: plugin "hello": it went']],
  ])('%s what plugins log as info with the flags %j', async (_, flags, lines) => {
    const logging = config.replace(
      "return HttpResponse.text('hello",
      "request.log.info('it asked')\n      request.log.warn('it went')\n      return HttpResponse.text('hello",
    )
    const cwd = workspace({ 'rawhttp.config.mjs': logging.replace('LISTEN', '0') })
    const running = launch(['start', ...flags], { cwd })
    await fetch(await ready(running))
    await running.line(/it went/)
    running.child.kill('SIGTERM')
    const { stderr } = await running.finished
    const logged = stderr.split('\n').filter(line => /it (?:asked|went)/.test(line))
    expect(logged).toEqual(lines.map(line => expect.stringContaining(`rawhttp: ${line}`)))
  })
})

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets what is in flight finish and exits with 0',
    async signal => {
      const running = launch(['start'], { cwd: workspace(files()) })
      const url = await ready(running)
      const answer = fetch(`${url}/slow`)
      await running.line(/^slow$/)
      running.child.kill(signal)
      expect(await (await answer).text()).toBe('hello from production')
      expect((await running.finished).code).toBe(0)
    },
  )

  it('to open logs anew does nothing where there are none', async () => {
    const running = launch(['start'], { cwd: workspace(files()) })
    const url = await ready(running)
    running.child.kill('SIGUSR2')
    expect(await (await fetch(url)).text()).toBe('hello from production')
    running.child.kill('SIGTERM')
    expect((await running.finished).code).toBe(0)
  })

  it('to open logs anew does not end a server that starts', async () => {
    const waits =
      "process.stderr.write('loads\\n')\nawait new Promise(go => setTimeout(go, 100))\nexport default {}"
    const running = launch(['start', '--port', '0'], { cwd: workspace({ 'rawhttp.config.mjs': waits }) })
    await running.line(/^loads$/)
    running.child.kill('SIGUSR2')
    await ready(running)
    running.child.kill('SIGTERM')
    expect((await running.finished).code).toBe(0)
  })

  it('that comes twice forces the end and exits with 128 + n', async () => {
    const running = launch(['start'], { cwd: workspace(files()) })
    const url = await ready(running)
    const answer = fetch(`${url}/never`).catch(error => error)
    await running.line(/^never$/)
    running.child.kill('SIGTERM')
    running.child.kill('SIGINT')
    expect([143, 130]).toContain((await running.finished).code)
    expect(await answer).toBeInstanceOf(Error)
  })
})

describe('what never ends', () => {
  const plugin = (setUp: string) => `
import { definePlugin } from ${kernel('plugin.ts')}
const never = new Promise(() => {})
export default { listen: [{ port: 0 }], plugins: [definePlugin({ name: 'p', ${setUp} })] }
`
  it.each([
    ['the import', 'await new Promise(() => {})', /rawhttp\.config\.mjs: its import never ends/],
    [
      'the config function',
      'export default () => new Promise(() => {})',
      /mjs: the config function never ends/,
    ],
    [
      'an exported promise',
      'export default new Promise(() => {})',
      /mjs: the promise that it exports never ends/,
    ],
    ['a setup', plugin('server: () => never'), /mjs: plugins\[0\]: plugin "p", server\(\) never ends/],
  ])('is named, and the exit code is 78: %s', async (_, config, sentence) => {
    for (const command of ['start', 'check']) {
      const { code, stderr } = await run([command], { cwd: workspace({ 'rawhttp.config.mjs': config }) })
      expect([code, stderr]).toEqual([78, expect.stringMatching(sentence)])
    }
  })

  it('is named when it is a tap of start', async () => {
    const config = plugin("server: ({ hooks }) => hooks.start.tapPromise('open', () => never)")
    const { code, stderr } = await run(['start'], { cwd: workspace({ 'rawhttp.config.mjs': config }) })
    expect([code, stderr]).toEqual([78, expect.stringContaining('plugin "p", start tap "open" never ends')])
  })
})

it('a setup that throws is a mistake in the config for start as for check: exit code 78', async () => {
  const config = `
import { definePlugin } from ${kernel('plugin.ts')}
export default { plugins: [definePlugin({ name: 'p', site(site) { site.hooks.handel } })] }
`
  const cwd = workspace({ 'rawhttp.config.mjs': config })
  const [start, check] = [await run(['start'], { cwd }), await run(['check'], { cwd })]
  expect(start.code).toBe(78)
  expect(start).toEqual(check)
})

it('a mistake in definePlugin names the line of the config', async () => {
  const config = `
import { definePlugin } from ${kernel('plugin.ts')}
export default { plugins: [definePlugin({ name: 'p', sit() {} })] }
`
  const { stderr } = await run(['check'], { cwd: workspace({ 'rawhttp.config.mjs': config }) })
  expect(stderr).toContain('rawhttp.config.mjs: line 3: TypeError: definePlugin: p: unknown "sit"')
})

it('a server whose stderr nobody reads any more goes on', async () => {
  const running = launch(['start'], { cwd: workspace(files()) })
  const url = await ready(running)
  running.child.stderr!.destroy()
  for (let i = 0; i < 3; i++) {
    const { host } = new URL(url)
    const socket = connect(Number(host.split(':')[1]), '127.0.0.1').on('error', () => undefined)
    socket.end('\x16\x03\x01\x02\x00\x01\x00')
    await new Promise(resolve => socket.once('close', resolve))
  }
  expect(await (await fetch(url)).text()).toBe('hello from production')
})

it('an empty word for the folder is refused', async () => {
  const { code, stderr } = await run(['start', ''], { cwd: workspace() })
  expect([code, stderr]).toEqual([2, expect.stringContaining('expected a folder, got an empty word')])
})

describe('without a config', () => {
  it('a folder is served, and it is said how to get a config', async () => {
    const cwd = workspace({ 'site/index.html': '<h1>served</h1>' })
    const running = launch(['start', 'site', '--port', '0'], { cwd })
    const url = await ready(running)
    expect(await (await fetch(url)).text()).toBe('<h1>served</h1>')
    expect(await running.line(/no config found/)).toContain(`serving ${join(cwd, 'site')} with `)
    expect(await running.line(/for a config of your own/)).toContain(join(cwd, 'rawhttp.config.json'))
  })

  it('the config that is printed serves the same', async () => {
    const cwd = workspace({ 'public/index.html': '<h1>served</h1>' })
    const first = launch(['start', '--port', '0'], { cwd })
    await ready(first)
    const notice = await first.line(/for a config of your own/)
    const [, json] = /rawhttp\.config\.json: (.+)$/.exec(notice)!
    const second = launch(['start', '--port', '0'], {
      cwd: workspace({
        'public/index.html': '<h1>served</h1>',
        'rawhttp.config.json': json!,
      }),
    })
    expect(await (await fetch(await ready(second))).text()).toBe('<h1>served</h1>')
  })
})

describe('rawhttp check', () => {
  it('lists the config, its listeners, sites and plugins, opens no port, and says ok', async () => {
    const cwd = workspace(files(await takenPort()))
    const { code, stdout, stderr } = await run(['check'], { cwd })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.replace(/:\d+$/m, ':PORT')).toBe(
      [
        `config  ${join(cwd, 'rawhttp.config.mjs')}`,
        'listen  127.0.0.1:PORT',
        'site    default: *',
        '  hello',
        'ok',
        '',
      ].join('\n'),
    )
  })

  it('says which file a plugin given by name came from', async () => {
    const cwd = workspace({ 'rawhttp.config.json': '{"plugins":[["static",{"root":"."}]]}' })
    const { stdout } = await run(['check'], { cwd })
    expect(stdout).toContain(`  static  from ${join(repository, 'plugins/static/index.ts')}\n`)
  })

  it('fails with 78 when the set-up of a plugin fails', async () => {
    const text = `
      import { definePlugin } from ${kernel('plugin.ts')}
      const broken = definePlugin({ name: 'broken', server() { throw new Error('no set-up') } })
      export default { plugins: [broken] }`
    const { code, stderr } = await run(['check'], { cwd: workspace({ 'rawhttp.config.mjs': text }) })
    expect(code).toBe(78)
    expect(stderr).toContain('no set-up')
  })
})
