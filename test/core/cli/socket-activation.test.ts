import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { get } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { installRawhttp, workspace } from '../config/workspace.ts'
import { activate } from './activated.ts'
import { launch, rawhttp, ready, run } from './run-cli.ts'

const page = { 'public/index.html': '<h1>served</h1>' }
const withConfig = (config: object) => ({ ...page, 'rawhttp.config.json': JSON.stringify(config) })
const files = ['static', { root: './public' }]

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

async function bodyFrom(client: RawClient): Promise<string> {
  client.send(get())
  return (await client.response()).body.toString()
}

describe('a server that systemd starts with sockets', () => {
  it('serves them when its config has no listeners, and prints where they listen', async () => {
    const cwd = workspace(page)
    const [port, path] = [await freePort(), join(cwd, 'x.sock')]
    const running = await activate([...rawhttp, 'start'], cwd, { listen: [`127.0.0.1:${port}`, path] })
    await using byPort = await RawClient.connect(port)
    await using byPath = await RawClient.open({ path })
    expect([await bodyFrom(byPort), await bodyFrom(byPath)]).toEqual([
      page['public/index.html'],
      page['public/index.html'],
    ])
    await running.line(new RegExp(`^rawhttp listening on http://127\\.0\\.0\\.1:${port}$`))
    await running.line(new RegExp(`^rawhttp listening on unix:${path}$`))
    running.child.kill('SIGTERM')
    expect((await running.finished).code).toBe(0)
  })

  it('leaves the file of a Unix socket to systemd', async () => {
    const cwd = workspace(page)
    const path = join(cwd, 'x.sock')
    const running = await activate([...rawhttp, 'start'], cwd, { listen: [path] })
    await using client = await RawClient.open({ path })
    await bodyFrom(client)
    running.child.kill('SIGTERM')
    await running.finished
    await expect(RawClient.open({ path })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('finds each by its name, all that share one', async () => {
    const cwd = workspace(
      withConfig({
        listen: [{ fd: 'admin', trustedProxies: ['unix'] }, { fd: 'web' }],
        plugins: [['access-log', { format: '{client} {path}' }], files],
      }),
    )
    const listen = ['a', 'b', 'c'].map(name => join(cwd, `${name}.sock`))
    const running = await activate([...rawhttp, 'start'], cwd, { listen, names: ['web', 'admin', 'web'] })
    for (const [index, path] of listen.entries()) {
      await using client = await RawClient.open({ path })
      client.send(get(`/${index}`, `X-Forwarded-For: 192.0.2.${index}`))
      await client.response()
    }
    running.child.kill('SIGTERM')
    const { stdout } = await running.finished
    expect(stdout).toBe('- /0\n192.0.2.1 /1\n- /2\n')
  })

  it('takes one by its descriptor', async () => {
    const cwd = workspace(withConfig({ listen: [{ fd: 3 }], plugins: [files] }))
    const path = join(cwd, 'x.sock')
    await activate([...rawhttp, 'start'], cwd, { listen: [path] })
    await using client = await RawClient.open({ path })
    expect(await bodyFrom(client)).toBe(page['public/index.html'])
  })

  it('does not start when one of them has no listener, for its clients would wait for ever', async () => {
    const cwd = workspace(withConfig({ listen: [{ fd: 'web' }] }))
    const [web, admin] = [join(cwd, 'web.sock'), join(cwd, 'admin.sock')]
    const running = await activate([...rawhttp, 'start'], cwd, {
      listen: [web, admin],
      names: ['web', 'admin'],
    })
    await using _client = await RawClient.open({ path: web })
    const { code, stderr } = await running.finished
    expect(code).toBe(78)
    expect(stderr).toContain(
      "rawhttp: rawhttp.config.json: listen: expected a listener for each socket that was passed to this process, got none for 'admin' (descriptor 4); add { fd: 'admin' }, or leave 'listen', --port, --host, PORT and HOST out\n",
    )
  })

  it('says so as well when PORT took the place of the sockets', async () => {
    const cwd = workspace(page)
    const path = join(cwd, 'x.sock')
    const running = await activate([...rawhttp, 'start'], cwd, { listen: [path], env: { PORT: '0' } })
    await using _client = await RawClient.open({ path })
    const { code, stderr } = await running.finished
    expect([code, stderr]).toEqual([78, expect.stringContaining("none for 'unknown' (descriptor 3)")])
  })

  it('has no variables left that a child would take for its own', async () => {
    const cwd = workspace({
      'rawhttp.config.mjs': `
        import { execFileSync } from 'node:child_process'
        import { definePlugin, Handle, HttpResponse } from 'rawhttp'
        const env = definePlugin({ name: 'env', site: ({ hooks }) =>
          hooks.handle.tap({ name: 'env', stage: Handle.Route }, () => HttpResponse.text(execFileSync('env'))) })
        export default { plugins: [env] }`,
    })
    installRawhttp(cwd)
    const path = join(cwd, 'x.sock')
    await activate([...rawhttp, 'start'], cwd, { listen: [path] })
    await using client = await RawClient.open({ path })
    const env = await bodyFrom(client)
    expect(env).toContain('PATH=')
    expect(env).not.toContain('LISTEN_')
  })
})

describe('a reload', () => {
  const program = `
    import { createServer, definePlugin, Handle, HttpResponse } from 'rawhttp'
    const next = { '/other': { listen: [{ fd: 'admin' }] }, '/again': { listen: [{ fd: 'web', limits: { headers: 5 } }] } }
    let server
    const say = name => definePlugin({ name, site: ({ hooks }) =>
      hooks.handle.tapPromise({ name, stage: Handle.Route }, async ({ path }) => {
        const config = next[path]
        if (config === undefined) return HttpResponse.text(name)
        await listening
        const failure = await server.reload({ ...config, plugins: [say('new')] }).then(() => 'reloaded', error => error.message)
        return HttpResponse.text(failure)
      }) })
    server = await createServer({ listen: [{ fd: 'web' }, { fd: 'admin' }], plugins: [say('old')] })
    const listening = server.listen()
  `
  const reloading = async () => {
    const cwd = workspace({ 'program.mjs': program })
    installRawhttp(cwd)
    const [path, admin] = [join(cwd, 'web.sock'), join(cwd, 'admin.sock')]
    const command = [process.execPath, '--conditions=rawhttp-source', 'program.mjs']
    await activate(command, cwd, { listen: [path, admin], names: ['web', 'admin'] })
    return path
  }

  it('keeps a socket that was passed', async () => {
    const path = await reloading()
    const ask = async (target: string) => {
      await using client = await RawClient.open({ path })
      client.send(get(target))
      return (await client.response()).body.toString()
    }
    expect([await ask('/'), await ask('/again'), await ask('/'), await ask('/again')]).toEqual([
      'old',
      'reloaded',
      'new',
      'reloaded',
    ])
  })

  it('cannot have back one that an earlier one let go of', async () => {
    const path = await reloading()
    await using client = await RawClient.open({ path })
    const ask = async (target: string) => {
      client.send(get(target))
      return (await client.response()).body.toString()
    }
    expect(await ask('/other')).toBe('reloaded')
    await expect(RawClient.open({ path })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await ask('/again')).toMatch(
      /^config: listen\[0\]\.fd: descriptor 3 was closed when a config before let go of it; it comes back with a restart$/,
    )
  })
})

describe('without the sockets that a config names', () => {
  const cwd = () => workspace(withConfig({ listen: [{ fd: 'web' }] }))

  it('check has nothing to say against it', async () => {
    const { code, stdout } = await run(['check'], { cwd: cwd() })
    expect([code, stdout]).toEqual([0, expect.stringContaining("listen  socket 'web'\n")])
  })

  it('start names the one that is missing', async () => {
    const { code, stderr } = await run(['start'], { cwd: cwd() })
    expect([code, stderr]).toEqual([
      78,
      "rawhttp: config: listen[0].fd: no socket of the name 'web' was passed to this process; it is FileDescriptorName= of a socket unit\n",
    ])
  })

  it('start says what it found at a descriptor that is none', async () => {
    const dir = workspace(withConfig({ listen: [{ fd: 900 }] }))
    const { code, stderr } = await run(['start'], { cwd: dir })
    expect([code, stderr]).toEqual([
      78,
      'rawhttp: config: listen[0].fd: expected a socket that listens, got descriptor 900, of which the system says EINVAL\n',
    ])
  })

  it('variables that are meant for another process change nothing', async () => {
    const running = launch(['start', '--port', '0'], {
      cwd: workspace(page),
      env: { LISTEN_PID: '1', LISTEN_FDS: '1' },
    })
    expect(await ready(running)).toMatch(/^http:/)
  })
})
