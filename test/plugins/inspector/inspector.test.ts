import { dirname } from 'node:path'
import { type Config, createServer, definePlugin, HttpError, HttpResponse, type Plugins } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { cors } from 'rawhttp/plugins/cors'
import { type InspectorOptions, inspector } from 'rawhttp/plugins/inspector'
import { proxyProtocol } from 'rawhttp/plugins/proxy-protocol'
import { staticFiles } from 'rawhttp/plugins/static'
import { RawClient } from 'rawhttp/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Frame, Seen } from '../../../plugins/inspector/wire.ts'
import { exchangeBytes } from '../../support/raw-client.ts'
import { answering, startServer, type TestServer } from '../../support/server.ts'
import { tempFile } from '../../support/temp-file.ts'

const PAGE = '/.rawhttp/inspector'

const get = (path: string, host: string, ...fields: string[]) =>
  [`GET ${path} HTTP/1.1`, `host: ${host}`, 'connection: close', ...fields, '', ''].join('\r\n')

const statusOf = (answer: string) => Number(answer.slice(9, 12))
const fieldOf = (answer: string, name: string) =>
  new RegExp(`\r\n${name}: ([^\r]*)`).exec(answer.slice(0, answer.indexOf('\r\n\r\n')))?.[1]

interface Served extends TestServer {
  ask(path: string, ...fields: string[]): Promise<string>
  status(path: string, host: string, ...fields: string[]): Promise<number>
  watch(): Promise<Watching>
}

async function serve(options: InspectorOptions, plugins: Plugins = [], rest: Config = {}): Promise<Served> {
  const server = await startServer({
    ...rest,
    plugins: [
      inspector(options),
      answering(request => (request.path === '/a' ? HttpResponse.text('a') : undefined)),
      ...plugins,
    ],
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const ask = (path: string, ...fields: string[]) =>
    exchangeBytes(server.port, get(path, 'localhost', ...fields))
  const status = async (path: string, host: string, ...fields: string[]) =>
    statusOf(await exchangeBytes(server.port, get(path, host, ...fields)))
  return Object.assign(server, { ask, status, watch: () => watch(server.url) })
}

/** An open page, as its stream sees it. */
interface Watching {
  readonly frames: Frame[]
  /** When so many requests are accounted for, shown or left out. */
  until(count: number): Promise<Seen[]>
  leave(): Promise<void>
}

async function watch(url: string): Promise<Watching> {
  const left = new AbortController()
  const answer = await fetch(`${url}${PAGE}/events`, { signal: left.signal })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  onTestFinished(() => left.abort())
  const frames: Frame[] = []
  let text = ''
  const piece = async () => {
    const { value, done } = await reader.read()
    if (done) throw new Error('the stream has ended')
    return value
  }
  const next = async () => {
    for (;;) {
      const end = text.indexOf('\n\n')
      const event = text.slice(0, end)
      if (end >= 0) text = text.slice(end + 2)
      if (end >= 0 && event.startsWith('data: ')) return frames.push(JSON.parse(event.slice(6)))
      if (end < 0) text += await piece()
    }
  }
  const seen = () => frames.flatMap(({ requests }) => requests)
  const counted = () => seen().length + frames.reduce((sum, { leftOut }) => sum + leftOut, 0)
  await next()
  return {
    frames,
    until: async count => {
      while (counted() < count) await next()
      return seen()
    },
    leave: async () => left.abort(),
  }
}

const pathsOf = (seen: readonly Seen[]) => seen.map(({ trace }) => trace.request.path)

describe('the page', () => {
  test('is HTML that loads nothing but its own files, and runs no code of its own text', async () => {
    const { ask } = await serve({})
    const answer = await ask(PAGE)
    expect([statusOf(answer), fieldOf(answer, 'content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = fieldOf(answer, 'content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
    expect(fieldOf(answer, 'cache-control')).toBe('no-store')
    expect(answer).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/)
  })

  test('has a sheet and scripts, each with its type', async () => {
    const { ask } = await serve({})
    const files = (await ask(PAGE)).match(/\/\.rawhttp\/inspector\/[\w.]+/g)!
    expect(files).toEqual([`${PAGE}/style.css`, `${PAGE}/main.js`])
    const types = await Promise.all(files.map(async file => fieldOf(await ask(file), 'content-type')))
    expect(types).toEqual(['text/css; charset=utf-8', 'text/javascript; charset=utf-8'])
    const imported = [...(await ask(`${PAGE}/main.js`)).matchAll(/from '\.\/(\w+\.js)'/g)]
    expect(imported.length).toBeGreaterThan(3)
    for (const [, name] of imported) expect(statusOf(await ask(`${PAGE}/${name}`))).toBe(200)
  })

  test('stands where `path` says', async () => {
    const { ask, port } = await serve({ path: '/look&see' })
    const page = await ask('/look&see')
    expect(page).toContain('src="/look&amp;see/main.js"')
    expect(statusOf(await ask('/look&see/main.js'))).toBe(200)
    expect([statusOf(await ask(PAGE)), statusOf(await ask('/look&seen'))]).toEqual([404, 404])
    const beside = await exchangeBytes(port, get('/look&seen', 'localhost').replace('GET', 'POST'))
    expect(statusOf(beside)).toBe(404)
  })

  test('knows GET and HEAD only, and no files that it does not have', async () => {
    const { port, ask } = await serve({})
    const post = await exchangeBytes(port, get(PAGE, 'localhost').replace('GET', 'POST'))
    expect([statusOf(post), fieldOf(post, 'allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect(statusOf(await ask(`${PAGE}/../../etc/passwd`))).toBe(404)
    expect(statusOf(await ask(`${PAGE}/index.ts`))).toBe(404)
  })

  test('answers by address where all sites have names', async () => {
    const server = await serve({}, [], { sites: [{ name: 'a', hosts: ['a.example'] }] })
    expect(await server.status(PAGE, '127.0.0.1')).toBe(200)
    const seen = await server.watch()
    await server.status('/x', 'a.example')
    await server.status('/y', 'b.example')
    const rows = await seen.until(2)
    expect(rows.map(({ trace }) => [trace.site.name, trace.site.why])).toEqual([
      ['a', 'exact'],
      ['-', 'unknown-host'],
    ])
    expect(await server.status(PAGE, 'b.example')).toBe(421)
  })
})

describe('who may see it', () => {
  test.each(['127.0.0.1:8080', '[::1]', 'localhost', 'localhost.'])(
    'a client here who asks for %s',
    async host => {
      expect(await (await serve({})).status(PAGE, host)).toBe(200)
    },
  )

  test.each(['rebound.example', '192.0.2.1', 'localhost.example', 'named.example'])(
    'but not for %s, under which a page of the web or a tunnel may come',
    async host => {
      const server = await serve({}, [], { sites: [{ name: 'a', hosts: ['*', 'named.example'] }] })
      for (const path of [PAGE, `${PAGE}/events`, `${PAGE}/main.js`])
        expect(await server.status(path, host)).toBe(404)
    },
  )

  test.each(['x-forwarded-for: 127.0.0.1', 'forwarded: for=127.0.0.1', 'x-real-ip: 127.0.0.1', 'via: 1.1 p'])(
    'nobody behind a proxy: %s',
    async field => {
      expect(await (await serve({})).status(PAGE, 'localhost', field)).toBe(404)
    },
  )

  test('also when the proxy is believed', async () => {
    const server = await serve({}, [], { trustedProxies: ['loopback'] })
    for (const address of ['127.0.0.1', '192.0.2.1', '127.0.0.9'])
      expect(await server.status(PAGE, 'localhost', `x-forwarded-for: ${address}`)).toBe(404)
  })

  test('nor who is said to be here by the PROXY protocol', async () => {
    const server = await serve({}, [proxyProtocol({ from: ['loopback'] })])
    const header = 'PROXY TCP4 127.0.0.1 127.0.0.1 4000 80\r\n'
    expect(statusOf(await exchangeBytes(server.port, header + get(PAGE, 'localhost')))).toBe(404)
  })

  test('nor who comes by a Unix socket, where a proxy may stand', async () => {
    const path = `${dirname(await tempFile('beside', ''))}/http.sock`
    const server = await createServer({ listen: [{ path }], plugins: [inspector()] })
    onTestFinished(() => server.stop({ deadline: 0 }))
    await server.listen()
    await using client = await RawClient.open({ path })
    client.send(get(PAGE, 'localhost'))
    expect(statusOf(await client.rest())).toBe(404)
  })

  test.each([
    ['sec-fetch-site: cross-site'],
    ['sec-fetch-site: same-site'],
    ['origin: https://evil.example'],
    ['origin: null'],
  ])('nor another page in the browser of somebody here: %s', async field => {
    const server = await serve({}, [cors({ origin: '*' })])
    expect(await server.status(`${PAGE}/events`, 'localhost', field, 'sec-fetch-mode: cors')).toBe(404)
  })

  test('while a link to it may be followed', async () => {
    const fields = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate']
    expect(await (await serve({})).status(PAGE, 'localhost', ...fields)).toBe(200)
  })

  test('others get what they would get without it', async () => {
    const root = dirname(await tempFile('index.html', 'the application'))
    const server = await serve({ path: '/look' }, [staticFiles({ root, fallback: 'index.html' })])
    const fields = ['accept: text/html', 'via: 1.1 p']
    const [there, elsewhere] = [await server.ask('/look', ...fields), await server.ask('/any', ...fields)]
    const undated = (answer: string) => answer.replace(/\r\ndate: [^\r]*/i, '')
    expect(undated(there)).toBe(undated(elsewhere))
    expect(there).toContain('the application')
  })

  test('a guard decides in the place of all that', async () => {
    const server = await serve({
      guard: async ({ headers }) => {
        const key = headers.get('x-key')
        if (key === undefined) throw new HttpError(401)
        return key === 'right' ? undefined : HttpResponse.text('wrong', 403)
      },
    })
    expect(await server.status(PAGE, 'public.example', 'x-key: right', 'x-forwarded-for: 192.0.2.1')).toBe(
      200,
    )
    for (const path of [PAGE, `${PAGE}/events`, `${PAGE}/main.js`, `${PAGE}/none`]) {
      expect(await server.status(path, 'localhost', 'x-key: other')).toBe(403)
      expect(await server.status(path, 'localhost')).toBe(401)
    }
  })

  test('a guard is set up for each site', async () => {
    const sites: string[] = []
    const guard = Object.assign(() => undefined, {
      setup: ({ name }: { name: string }) => void sites.push(name),
    })
    await serve({ guard }, [], { sites: [{ name: 'a', hosts: ['a'] }, { name: 'b' }] })
    expect(sites).toEqual(['a', 'b'])
  })
})

describe('the stream', () => {
  test('tells of each request with its trace, its connection and its listener', async () => {
    const server = await serve({})
    const page = await server.watch()
    await server.ask('/a?q=1')
    const [seen] = await page.until(1)
    expect(seen).toMatchObject({
      id: 1,
      listener: `127.0.0.1:${server.port}`,
      via: [],
      trace: {
        request: { path: '/a?q=1' },
        answer: { status: 200, source: { plugin: 'test-answer' } },
        outcome: { result: 'sent' },
      },
    })
    expect(seen!.connection).toBeGreaterThan(0)
    expect(page.frames.every(({ leftOut }) => leftOut === 0)).toBe(true)
  })

  test('tells nothing of its own page, but of strangers who try it', async () => {
    const server = await serve({})
    const page = await server.watch()
    for (const path of [PAGE, `${PAGE}/style.css`, `${PAGE}/none`]) await server.ask(path)
    await server.ask(PAGE, 'via: 1.1 p')
    await server.ask('/a')
    const seen = await page.until(2)
    expect(pathsOf(seen)).toEqual([PAGE, '/a'])
    expect(page.frames.at(-1)!.gauges).toMatchObject({ answered: 2, requests: 0 })
  })

  test('joins what comes at once into one frame', async () => {
    const server = await serve({})
    const page = await server.watch()
    const before = page.frames.length
    await Promise.all(Array.from({ length: 60 }, () => server.server.inject('/a')))
    await page.until(60)
    expect(page.frames.length - before).toBeLessThan(20)
  })

  test('leaves out what is over `perSecond`, and says how many', async () => {
    const server = await serve({ perSecond: 5 })
    const page = await server.watch()
    await Promise.all(Array.from({ length: 200 }, () => server.server.inject('/a')))
    const seen = await page.until(200)
    expect(seen.length).toBeGreaterThanOrEqual(5)
    expect(seen.length).toBeLessThan(100)
  })

  test('has nothing traced while no page is open', async () => {
    const traced: boolean[] = []
    const look = definePlugin({
      name: 'look',
      server: server => void looks.push(server.trace({ wants: () => false })),
      site: site => site.hooks.done.tap('look', request => void traced.push(looks[0]!(request) !== null)),
    })
    const looks: ReturnType<
      Parameters<NonNullable<Parameters<typeof definePlugin>[0]['server']>>[0]['trace']
    >[] = []
    const server = await serve({}, [look()])
    await server.ask('/before')
    const page = await server.watch()
    await server.ask('/during')
    await page.until(1)
    await page.leave()
    await server.untilEnded(3)
    traced.length = 0
    await server.ask('/after')
    expect(traced).toEqual([false])
  })

  test('goes to sixteen pages at most', async () => {
    const server = await serve({})
    for (let i = 0; i < 16; i++) await server.watch()
    const refused = await server.ask(`${PAGE}/events`)
    expect(statusOf(refused)).toBe(503)
    expect(refused).toContain('The inspector is open in 16 pages already.')
  })

  test('tells what the caches of all sites did, and null where there is none', async () => {
    const plain = await (await serve({})).watch()
    expect(plain.frames[0]!.gauges.cache).toBeNull()
    const shared = answering(
      request =>
        request.path === '/b'
          ? HttpResponse.text('b', { headers: { 'cache-control': 'max-age=60' } })
          : undefined,
      'shared',
    )
    const server = await serve({}, [cache(), shared], {
      sites: [{ name: 'a', hosts: ['a'] }, { name: 'b' }],
    })
    const page = await server.watch()
    for (const host of ['a', 'a', 'b']) await server.status('/b', host)
    await page.until(3)
    expect(page.frames.at(-1)!.gauges.cache).toEqual({ hits: 1, misses: 2 })
  })

  test('ends with a reload, whose config tells on', async () => {
    const server = await serve({})
    const page = await server.watch()
    await server.server.reload({ listen: [{ port: 0 }], plugins: [inspector()] })
    await expect(page.until(1)).rejects.toThrow('the stream has ended')
    const again = await server.watch()
    await server.ask('/a')
    expect(pathsOf(await again.until(1))).toEqual(['/a'])
  })

  test('shows no credentials, nor fields that are to be masked', async () => {
    const secret = definePlugin({
      name: 'secret',
      site: site =>
        site.hooks.deliver.tap(
          'secret',
          response => void response.append('set-cookie', 'sid=s3cret').set('x-key', 's3cret'),
        ),
    })
    const server = await serve({ mask: ['X-Key'] }, [secret()])
    const page = await server.watch()
    await server.ask('/a', 'authorization: Bearer s3cret', 'cookie: a=s3cret', 'x-key: s3cret')
    const [seen] = await page.until(1)
    expect(JSON.stringify(seen)).not.toContain('s3cret')
    expect(seen!.trace.request.headers).toContainEqual(['x-key', '(masked)'])
  })
})

describe('options that are wrong are refused with their place', () => {
  test.each<[object, string]>([
    [
      { path: 'inspector' },
      ".path: expected a path such as '/.rawhttp/inspector', without a slash at its end, got",
    ],
    [{ path: '/inspector/' }, '.path: expected a path'],
    [{ guard: true }, '.guard: expected a function, got true'],
    [{ perSecond: 0 }, '.perSecond: expected a number from 1 to 2000, got 0'],
    [{ perSecond: 1.5 }, '.perSecond: expected a number from 1 to 2000, got 1.5'],
    [{ mask: ['a:'] }, '.mask[0]: expected a field name'],
    [{ mask: 'x' }, '.mask: expected a list of field names'],
    [{ pahth: '/x' }, ".pahth: unknown option; did you mean 'path'?"],
  ])('%j', async (options, sentence) => {
    await expect(createServer({ plugins: [inspector(options as InspectorOptions)] })).rejects.toThrow(
      `plugins[0] (inspector): options${sentence}`,
    )
  })
})
