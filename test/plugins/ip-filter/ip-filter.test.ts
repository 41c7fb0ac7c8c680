import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connect, createServer, HttpResponse, type PluginItem, type Plugins, scope } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { ipFilter } from 'rawhttp/plugins/ip-filter'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onServer, serve } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** The status that a client with an address gets. */
async function statusFor(plugins: Plugins, address: string, url = '/'): Promise<number> {
  const { ask } = await serve([...plugins, answering(() => HttpResponse.text('in'))])
  return (await ask({ url, client: { address, port: 1 } })).status
}

/** How a connection ended, and what came before. A reset may be there before the client knows that it is connected. */
async function ending(port: number): Promise<{ how: string; received: string }> {
  try {
    await using client = await RawClient.connect(port)
    return { how: await client.closed, received: client.received }
  } catch (error) {
    return { how: (error as NodeJS.ErrnoException).code ?? '', received: '' }
  }
}

const RESET = { how: expect.stringMatching(/^(?:reset|ECONNRESET)$/), received: '' }

test('several filters are all to be passed', async () => {
  const two = [ipFilter({ allow: ['private'] }), ipFilter({ deny: ['10.0.0.1'] })]
  expect(await statusFor(two, '10.0.0.2')).toBe(200)
  expect(await statusFor(two, '10.0.0.1')).toBe(403)
  expect(await statusFor(two, '192.0.2.1')).toBe(403)
})

test('in a scope it refuses there only, by whatever spelling of the path', async () => {
  const inside = [scope({ path: '/admin/*' }, [ipFilter({ allow: ['10.0.0.1'] })])]
  for (const target of ['/admin', '/admin/', '/%61dmin/x', '//admin/x', '/x/../admin/y'])
    expect(await statusFor(inside, '192.0.2.1', target), target).toBe(403)
  expect(await statusFor(inside, '10.0.0.1', '/admin/x')).toBe(200)
  expect(await statusFor(inside, '192.0.2.1', '/')).toBe(200)
})

test('what is refused is an error as all others, which error pages shape', async () => {
  const { ask } = await serve([ipFilter({ allow: ['10.0.0.1'] }), errorPages({ prefer: 'problem' })])
  const answer = await ask('/')
  expect(answer.status).toBe(403)
  expect(answer.json()).toMatchObject({ title: 'Forbidden', status: 403 })
})

test('a refused request runs no handler', async () => {
  let runs = 0
  const { ask } = await serve([router({ 'GET /': () => String(runs++) }), ipFilter({ allow: ['10.0.0.1'] })])
  expect((await ask('/')).status).toBe(403)
  expect(runs).toBe(0)
})

describe('on sockets', () => {
  test('it goes by the client that a trusted proxy tells of, and by nothing that others say', async () => {
    const plugins = [ipFilter({ allow: ['192.0.2.1'] }), answering(() => HttpResponse.text('in'))]
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    await using trusting = await startServer({ trustedProxies: ['loopback'], plugins })
    expect((await fetch(trusting.url, { headers })).status).toBe(200)
    expect((await fetch(trusting.url, { headers: { 'x-forwarded-for': '192.0.2.2' } })).status).toBe(403)
    await using alone = await startServer({ plugins })
    expect((await fetch(alone.url, { headers })).status).toBe(403)
  })

  test('it goes by the address of the connection', async () => {
    await using refused = await startServer({ plugins: [ipFilter({ deny: ['loopback'] })] })
    expect((await fetch(refused.url)).status).toBe(403)
    await using open = await startServer({
      plugins: [ipFilter({ allow: ['loopback'] }), answering(() => HttpResponse.text('in'))],
    })
    expect(await (await fetch(open.url)).text()).toBe('in')
  })

  test('a client of a Unix socket is "unix"', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rawhttp-ip-filter-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    const path = join(dir, 'x.sock')
    const server = await createServer({
      listen: [{ path }],
      plugins: [ipFilter({ allow: ['unix'] }), answering(() => HttpResponse.text('in'))],
    })
    onTestFinished(() => server.stop({ deadline: 0 }))
    await server.listen()
    await using client = await RawClient.open({ path })
    client.send(GET)
    expect((await client.response()).body.toString()).toBe('in')
  })
})

describe('with connections', () => {
  test('whoever is refused is reset before anything is read', async () => {
    await using server = await startServer({ plugins: [ipFilter({ deny: ['loopback'], connections: true })] })
    expect(await ending(server.port)).toEqual(RESET)
    expect(server.ended).toEqual([])
  })

  test('taps behind it do not see who is refused', async () => {
    const seen: string[] = []
    const later = onServer('later', ({ hooks }) =>
      hooks.connection.tap({ name: 'later', stage: Connect.Secure }, (_stream, { client }) => {
        seen.push(client.address)
        return undefined
      }),
    )
    await using server = await startServer({
      plugins: [later, ipFilter({ deny: ['127.0.0.1'], connections: true })],
    })
    await ending(server.port)
    expect(seen).toEqual([])
  })

  test('it goes by the address that a tap before it has learned', async () => {
    const proxied = onServer('proxied', server =>
      server.hooks.connection.tap({ name: 'proxied', stage: Connect.Address }, (stream, info) => {
        setImmediate(() => server.serve(stream, { ...info, client: { address: '192.0.2.9', port: 1 } }))
        return { name: 'proxied', drain: () => undefined, destroy: () => undefined }
      }),
    )
    await using server = await startServer({
      plugins: [ipFilter({ deny: ['192.0.2.9'], connections: true }), proxied],
    })
    expect(await ending(server.port)).toEqual(RESET)
  })

  test('others are served, and requests are looked at all the same', async () => {
    await using server = await startServer({
      plugins: [
        ipFilter({ allow: ['loopback'], connections: true }),
        answering(() => HttpResponse.text('in')),
      ],
    })
    await using client = await RawClient.connect(server.port)
    client.send(GET)
    expect((await client.response()).body.toString()).toBe('in')
    expect(await statusFor([ipFilter({ allow: ['10.0.0.1'], connections: true })], '10.0.0.2')).toBe(403)
  })

  test('refused connections leave nothing open behind them', async () => {
    await using server = await startServer({ plugins: [ipFilter({ deny: ['loopback'], connections: true })] })
    for (let i = 0; i < 20; i++) await ending(server.port)
    await server.server.stop()
    expect(server.reports).toEqual([])
  })

  test('in the list of a site it fails the start: connections belong to all sites', async () => {
    const server = await createServer({
      listen: [{ port: 0 }],
      sites: [{ name: 'a', plugins: [ipFilter({ deny: ['10.0.0.1'], connections: true })] }],
    })
    onTestFinished(() => server.stop({ deadline: 0 }))
    await expect(server.listen()).rejects.toThrow(
      'config: sites[0].plugins[0] (ip-filter): options.connections: is for the root plugins only',
    )
  })

  test('in a scope it is an error: a connection has no path', async () => {
    const plugins = [scope({ path: '/x' }, [ipFilter({ deny: ['10.0.0.1'], connections: true })])]
    await expect(createServer({ plugins })).rejects.toThrow('inside a scope there is no request yet')
  })
})

describe('a mistake in the options', () => {
  const failing = (options: unknown) =>
    createServer({ plugins: [(ipFilter as (options: unknown) => PluginItem)(options)] })

  test.each([
    [
      { allow: ['10.0.0.0/33'] },
      "options.allow[0]: expected an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix', got '10.0.0.0/33'; behind the slash",
    ],
    [
      { deny: ['::1', 'loopbak'] },
      "options.deny[1]: expected an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix', got 'loopbak'; did you mean 'loopback'?",
    ],
    [{ deny: [7] }, 'options.deny[0]: expected an address'],
    [
      { allow: 'loopback' },
      "options.allow: expected a list of addresses such as ['192.0.2.7', '10.0.0.0/8'], got",
    ],
    [{ allow: [] }, 'options.allow: is empty: nobody could come'],
    [{}, 'options: expected allow, deny or both: without them nobody is refused'],
    [undefined, "options: expected options such as { allow: ['private'] }, got undefined"],
    [{ alow: ['::1'] }, "options.alow: unknown option; did you mean 'allow'?"],
    [{ deny: ['::1'], connections: 'reset' }, "options.connections: expected true or false, got 'reset'"],
  ])('%j names the option', async (options, sentence) => {
    await expect(failing(options)).rejects.toThrow(`config: plugins[0] (ip-filter): ${sentence}`)
  })

  test('is no empty list of who is refused, which a program may well have made', async () => {
    expect(await statusFor([ipFilter({ deny: [] })], '10.0.0.1')).toBe(200)
  })
})
