import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { createServer } from 'rawhttp'
import { staticFiles } from 'rawhttp/plugins/static'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { exchangeBytes } from '../../support/raw-client.ts'
import { startServer } from '../../support/server.ts'
import { serve } from './serve.ts'
import { tempSite } from './temp-site.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** With all that may find a file switched on. */
const everything = {
  dotfiles: true,
  cleanUrls: true,
  listing: true,
  precompressed: true,
  fallback: 'index.html',
} as const

const get = (port: number, target: string): Promise<string> =>
  exchangeBytes(
    port,
    `GET ${target} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n`,
  )

test('whatever the path and wherever the links lead, no byte and no name of the outside is seen', async () => {
  const site = await tempSite({ 'index.html': 'home', 'a/b.html': 'b', 'a/c/d.txt': 'd' })
  const outside = { 'secret.html': 'SECRET', 'secret.html.br': 'SECRET', 'private/secret.html': 'SECRET' }
  await site.write({ ...outside, 'public-2/secret.html': 'SECRET' })
  const links = [
    '..',
    '../..',
    '.',
    '/',
    'a',
    'a/..',
    '../public',
    '../private',
    '../secret.html',
    '../public-2',
  ]
  await Promise.all(
    links.flatMap((target, at) => [
      symlink(target, join(site.root, `l${at}`)),
      symlink(target, join(site.root, `l${at}.html`)),
      symlink(target, join(site.root, `a/l${at}`)),
      symlink(join('..', target), join(site.root, `a/c/l${at}.html.br`)),
    ]),
  )
  await using server = await startServer({ plugins: [staticFiles({ root: site.root, ...everything })] })
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...links.flatMap((_, at) => [`l${at}`, `l${at}.html`])) },
    { weight: 3, arbitrary: fc.constantFrom('a', 'c', 'b', 'public', 'private', 'secret', 'secret.html') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('..', '%2e%2e', '%2E.', '', '.', '..%2f', '%ff', '%c0%ae%c0%ae'),
    },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 6 }).filter(text => !/[\s#]/.test(text)),
    },
  )
  const path = fc.array(step, { minLength: 1, maxLength: 7 }).map(steps => `/${steps.join('/')}`)
  await fc.assert(
    fc.asyncProperty(path, async target => {
      const answer = await get(server.port, target)
      expect(answer).toMatch(/^HTTP\/1\.1 (?:200|301|400|404) /)
      expect(answer).not.toMatch(/SECRET|secret|private|public-2|root:/)
      expect(answer).not.toContain(site.dir)
      expect(answer).not.toMatch(/^location: (?!\/(?![/\\]))/im)
    }),
    { numRuns: 1_500 },
  )
  await site[Symbol.asyncDispose]()
})

test('links lead where they want when that is allowed', async () => {
  const { site, get } = await serve({ 'a.txt': 'a' }, { symlinks: 'follow', listing: true })
  await site.write({ 'shared/b.txt': 'b' })
  await symlink('../shared', join(site.root, 'shared'))
  await symlink('../shared/b.txt', join(site.root, 'b.txt'))
  expect((await get('/b.txt')).text()).toBe('b')
  expect((await get('/shared/b.txt')).text()).toBe('b')
  expect((await get('/shared/')).text()).toContain('b.txt')
  expect((await get('/..%2fshared/b.txt')).status).toBe(404)
})

test('a folder that is moved out of the root, with a link left in its place, is not followed', async () => {
  const { site, get } = await serve({ 'docs/a.txt': 'a' })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect((await get('/docs/a.txt')).text()).toBe('a')
  // The file itself stays as it is: same inode, same times.
  await rename(join(site.root, 'docs'), join(site.dir, 'docs'))
  await symlink('../docs', join(site.root, 'docs'))
  vi.setSystemTime(Date.now() + 1_000)
  expect((await get('/docs/a.txt')).status).toBe(404)
})

test('a root that is turned away from a file that both roots link to does not serve it any more', async () => {
  const site = await tempSite({})
  await site.write({ 'one/a.txt': 'a' })
  await mkdir(join(site.dir, 'two'))
  await symlink(join(site.dir, 'one/a.txt'), join(site.dir, 'two/a.txt'))
  await symlink('one', join(site.dir, 'current'))
  const server = await createServer({ plugins: [staticFiles({ root: join(site.dir, 'current') })] })
  onTestFinished(async () => {
    await server.stop()
    await site[Symbol.asyncDispose]()
  })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect((await server.inject('/a.txt')).text()).toBe('a')
  await symlink('two', join(site.dir, 'next'))
  await rename(join(site.dir, 'next'), join(site.dir, 'current'))
  vi.setSystemTime(Date.now() + 1_000)
  expect((await server.inject('/a.txt')).status).toBe(404)
})

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

test.runIf(process.platform === 'linux')(
  'a name that is not UTF-8 is found by its bytes, over a socket',
  async () => {
    const site = await tempSite({ 'a.txt': 'a' })
    await writeFile(bytes(`${site.root}/caf\xe9.txt`), 'latin1')
    await writeFile(join(site.root, 'caf\ufffd.txt'), 'replaced')
    await mkdir(bytes(`${site.root}/\xff\xfe`))
    await writeFile(bytes(`${site.root}/\xff\xfe/index.html`), 'index')
    await using server = await startServer({ plugins: [staticFiles({ root: site.root })] })
    const body = async (target: string) => (await get(server.port, target)).split('\r\n\r\n')[1]
    expect(await body('/caf%E9.txt')).toBe('latin1')
    expect(await body('/caf%e9.txt')).toBe('latin1')
    expect(await body('/caf%EF%BF%BD.txt')).toBe('replaced')
    expect(await body('/%FF%FE/')).toBe('index')
    expect(await get(server.port, '/%FF%FE')).toContain('location: /%FF%FE/\r\n')
    expect(await get(server.port, '/%FF')).toContain('HTTP/1.1 404 ')
    await site[Symbol.asyncDispose]()
  },
)

test.runIf(process.platform === 'linux')(
  'two roots that only a decoder would take for one are two, in the check of containment too',
  async () => {
    const site = await tempSite({})
    const [inside, outside] = ['\xfe', '\xff'].map(name => bytes(`${site.dir}/${name}`)) as [Buffer, Buffer]
    await mkdir(inside)
    await mkdir(outside)
    await writeFile(Buffer.concat([inside, bytes('/a.txt')]), 'a')
    await writeFile(Buffer.concat([outside, bytes('/secret.txt')]), 'SECRET')
    await symlink(Buffer.concat([outside, bytes('/secret.txt')]), Buffer.concat([inside, bytes('/link.txt')]))
    await symlink(inside, join(site.dir, 'root'))
    const server = await createServer({ plugins: [staticFiles({ root: join(site.dir, 'root') })] })
    expect((await server.inject('/a.txt')).text()).toBe('a')
    expect((await server.inject('/link.txt')).status).toBe(404)
    await server.stop()
    await site[Symbol.asyncDispose]()
  },
)
