import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Config, createServer, type PluginEntry, type Server, type TrustedProxiesConfig } from 'rawhttp'
import { testPlugin } from 'rawhttp/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { blocksOf } from './blocks.ts'
import { type BlockFolder, blockFolder } from './typed-blocks.ts'

// The recipes and the plugins of the guide as they stand on their pages, at work.

let folder: BlockFolder
let servers: Server[]

beforeEach(() => {
  servers = []
})

afterEach(async () => {
  await Promise.all(servers.map(server => server.stop()))
  await folder[Symbol.asyncDispose]()
})

/** Writes the blocks of a page, with files beside them; gives the folder. */
async function write(page: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  folder = await blockFolder(blocksOf(page).filter(({ language }) => language === 'ts'))
  const dir = join(folder.dir, page)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

const load = async <T>(dir: string, file: string): Promise<T> =>
  (await import(/* @vite-ignore */ pathToFileURL(join(dir, file)).href)) as T

async function serve(config: Config, dir: string): Promise<Server> {
  const server = await createServer(config, { dir })
  servers.push(server)
  return server
}

/** The config of a page, without its log. */
async function configIn(dir: string): Promise<Config> {
  const { default: config } = await load<{ readonly default: Config }>(dir, 'rawhttp.config.ts')
  const isLog = (item: unknown) =>
    (item as { definition?: { name: string } })?.definition?.name === 'access-log'
  return { ...config, plugins: config.plugins?.filter(item => !isLog(item)) }
}

/** A server with the config of a page. */
async function cook(page: string, files?: Readonly<Record<string, string>>): Promise<Server> {
  const dir = await write(page, files)
  return serve(await configIn(dir), dir)
}

describe('an application with an API', () => {
  const page = 'docs/cookbook/single-page-app.md'
  const files = { 'dist/index.html': '<title>app</title>', 'dist/app.js': 'run()' }
  const html = { accept: 'text/html' }

  test('pages of the application, files and routes have their answers', async () => {
    const server = await cook(page, files)
    expect((await server.inject({ url: '/settings/profile', headers: html })).text()).toBe(
      '<title>app</title>',
    )
    expect((await server.inject('/app.js')).text()).toBe('run()')
    expect((await server.inject('/api/notes/1')).json()).toEqual({ id: 1, text: 'Buy milk' })
    expect((await server.inject('/')).headers.get('content-security-policy')).toContain("default-src 'self'")
  })

  test('what is missing stays missing, as problem details below the API', async () => {
    const server = await cook(page, files)
    expect((await server.inject({ url: '/old.js', headers: html })).status).toBe(404)
    for (const url of ['/api/notes/99', '/api/nothing']) {
      const answer = await server.inject(url)
      expect([answer.status, answer.headers.get('content-type')], url).toEqual([
        404,
        'application/problem+json',
      ])
    }
  })

  test('a note is checked before it is made', async () => {
    const server = await cook(page, files)
    const post = (note: object) =>
      server.inject({
        method: 'POST',
        url: '/api/notes',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(note),
      })
    expect((await post({ text: '' })).status).toBe(422)
    const made = await post({ text: 'Sleep' })
    expect([made.status, made.headers.get('location')]).toEqual([201, '/api/notes/2'])
  })
})

test('many sites: each host has its files, the editors a password, strangers a 421', async () => {
  const htpasswd =
    'ann:$scrypt$ln=15,r=8,p=3$i2cwn6tel33ftMqRSFer7w$V+j+AXEO7tzYxYZf9wu4x1cR3VZoeY9rNuRm2wF/zFI\n'
  const server = await cook('docs/cookbook/many-sites.md', {
    'shop/public/index.html': 'the shop',
    'blog/public/about.html': 'about us',
    'blog/public/edit/index.html': 'edit here',
    'blog/errors/404.html': 'the blog has no such page',
    'blog/htpasswd': htpasswd,
  })
  const get = (url: string, headers: Record<string, string> = {}) => server.inject({ url, headers })
  expect((await get('http://shop.example/')).text()).toBe('the shop')
  expect((await get('http://www.shop.example/')).headers.get('location')).toBe('http://shop.example/')
  expect((await get('http://blog.example/about')).text()).toBe('about us')
  expect((await get('http://blog.example/nothing', { accept: 'text/html' })).text()).toContain('no such page')
  expect((await get('http://blog.example/edit/')).status).toBe(401)
  const authorization = `Basic ${Buffer.from('ann:correct horse battery staple').toString('base64')}`
  expect((await get('http://blog.example/edit/', { authorization })).text()).toBe('edit here')
  expect((await get('http://elsewhere.example/')).status).toBe(421)
})

test('behind nginx: the client is the one that nginx names', async () => {
  const dir = await write('docs/cookbook/behind-nginx.md', { 'public/index.html': 'here' })
  const config = await configIn(dir)
  // The address of a test that has no socket takes the place of nginx's.
  const { fields } = config.trustedProxies as Exclude<TrustedProxiesConfig, readonly string[]>
  const server = await serve({ ...config, trustedProxies: { from: ['10.0.0.1'], fields } }, dir)
  const ask = (client: string) =>
    server.inject({ client: { address: '10.0.0.1', port: 1 }, headers: { 'x-forwarded-for': client } })
  const left = async (client: string) =>
    /r=(\d+)/.exec((await ask(client)).headers.get('ratelimit') ?? '')?.[1]
  const [first, second, other] = [await left('192.0.2.1'), await left('192.0.2.1'), await left('192.0.2.2')]
  expect(Number(second)).toBeLessThan(Number(first))
  expect(other).toBe(first)
})

test('downloads: files with ranges, a table of names, and rows as they are made', async () => {
  const server = await cook('docs/cookbook/downloads.md', {
    'releases/app-1.0.zip': 'zip of 1.0',
    'public/manual.pdf': 'pdf',
  })
  const part = await server.inject({ url: '/releases/1.0', headers: { range: 'bytes=0-2' } })
  expect([part.status, part.text()]).toEqual([206, 'zip'])
  expect(part.headers.get('content-disposition')).toBe('attachment; filename="app-1.0.zip"')
  expect((await server.inject('/releases/..%2Fsecret')).status).toBe(404)
  const report = await server.inject('/report.csv')
  expect(report.text().split('\r\n').slice(0, 3)).toEqual(['id,square', '1,1', '2,4'])
  expect((await server.inject('/')).text()).toContain('manual.pdf')
  expect((await server.inject('/manual.pdf')).headers.get('content-disposition')).toBe('inline')
})

test('event streams: a client hears of what it has missed, and of what comes', async () => {
  const dir = await write('docs/cookbook/event-streams.md', { 'public/index.html': '' })
  const server = await serve({ ...(await configIn(dir)), listen: [{ port: 0 }] }, dir)
  const { url } = (await server.listen())[0]!
  const say = (body: string) => fetch(`${url}/api/news`, { method: 'POST', body })
  await say('one')
  await say('two')
  const stream = await fetch(`${url}/api/news`, { headers: { 'last-event-id': '1' } })
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (what: string) => {
    while (!text.includes(what)) text += (await reader.read()).value ?? ''
  }
  await until('two')
  await say('three')
  await until('three')
  expect(text.match(/^data:.*$/gm)?.map(line => line.slice(5).trim())).toEqual(['two', 'three'])
  await reader.cancel()
})

test('authentication: who has signed in is let in, others are shown where to', async () => {
  const server = await cook('docs/cookbook/own-auth.md', { secrets: `${'s'.repeat(40)}\n` })
  const stranger = await server.inject('/account')
  expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/login'])
  const signIn = (password: string) =>
    server.inject({
      method: 'POST',
      url: 'https://localhost/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `name=ann&password=${password}`,
    })
  expect((await signIn('wrong')).status).toBe(403)
  const answer = await signIn('horse')
  expect(answer.status).toBe(303)
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!
  const account = await server.inject({ url: 'https://localhost/account', headers: { cookie } })
  expect(account.text()).toBe('You are ann.')
  for (let tries = 0; tries < 3; tries++) await signIn('wrong')
  expect((await signIn('horse')).status).toBe(429)
})

describe('the plugin guide', () => {
  const page = 'docs/plugin-guide.md'
  type Factory = (options?: unknown) => NonNullable<Config['plugins']>[number]
  const plugin = async (name: string, dir: string) =>
    (await load<Readonly<Record<string, Factory>>>(dir, `${name}.ts`))[name]!

  test('its first plugin has ten lines, and runs', async () => {
    const server = await cook(page, { 'public/index.html': 'here' })
    const source = await readFile(join(folder.dir, page, 'stamp.ts'), 'utf8')
    expect(
      source
        .slice(source.indexOf('// stamp.ts\n') + 12)
        .trim()
        .split('\n').length,
    ).toBeLessThanOrEqual(10)
    for (const url of ['/', '/nothing'])
      expect((await server.inject(url)).headers.get('x-served-by')).not.toBe(null)
  })

  test('the banner stands on pages alone, escaped, and takes no option that it does not know', async () => {
    const dir = await write(page, { 'public/a.html': '<body>page', 'public/a.txt': '<body>text' })
    const banner = await plugin('banner', dir)
    const { staticFiles } = await import('rawhttp/plugins/static')
    const server = await serve({ plugins: [banner({ text: 'a <b>' }), staticFiles({ root: 'public' })] }, dir)
    expect((await server.inject('/a.html')).text()).toBe('<body><p>a &lt;b></p>page')
    expect((await server.inject('/a.txt')).text()).toBe('<body>text')
    await expect(createServer({ plugins: [banner({ text: 'a', txt: 'b' })] })).rejects.toThrow(
      'plugins[0] (banner): options.txt',
    )
  })

  test.each([
    ['stamp', undefined],
    ['banner', { text: 'Sale!' }],
    ['maintenance', undefined],
    ['visits', undefined],
  ])('%s keeps the contract of plugins', { timeout: 60_000 }, async (name, options) => {
    const tried = await plugin(name, await write(page))
    // What /visits says changes with each request, by design.
    await testPlugin(tried(options) as PluginEntry, { requests: ['/page'] })
  })

  test('maintenance answers all with one answer', async () => {
    const dir = await write(page)
    const maintenance = await plugin('maintenance', dir)
    const server = await serve({ plugins: [maintenance({ retryAfter: 7 })] }, dir)
    for (const url of ['/', '/a']) {
      const answer = await server.inject(url)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    }
  })

  test('visits are counted over a reload', async () => {
    const dir = await write(page)
    const visits = await plugin('visits', dir)
    const server = await serve({ plugins: [visits()] }, dir)
    await server.inject('/a')
    await server.inject('/visits')
    await server.reload({ plugins: [visits()] })
    await server.inject('/b')
    expect((await server.inject('/visits')).json()).toEqual({ 200: 1, 404: 2 })
  })
})
