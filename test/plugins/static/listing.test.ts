import { execFileSync } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { HttpRequest } from 'rawhttp'
import * as v from 'valibot'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { placeOf } from '../../../plugins/static/compile.ts'
import { Listings } from '../../../plugins/static/listing.ts'
import { readableSize } from '../../../plugins/static/listing-page.ts'
import { staticOptions } from '../../../plugins/static/schema.ts'
import { serve } from './serve.ts'
import { tempSite } from './temp-site.ts'

afterEach(() => {
  vi.useRealTimers()
})

interface Json {
  readonly path: string
  readonly entries: readonly {
    name: string
    type: string
    size: number | null
    modified: string
    href: string
  }[]
  readonly isComplete: boolean
}

const json = { accept: 'application/json' }
const files = {
  'b/x.txt': 'x',
  'a/index.html': 'has an index',
  'file10.txt': '0123456789',
  'file2.txt': '01',
  'File1.txt': '',
  '.hidden': 'h',
}

const names = (body: unknown): string[] => (body as Json).entries.map(({ name }) => name)

test('a folder without an index file is listed where that is asked for, and only there', async () => {
  const { get } = await serve(files, { listing: true })
  const answer = await get('/')
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect((await get('/a/')).text()).toBe('has an index')
  const without = await serve(files)
  expect((await without.get('/')).status).toBe(404)
  expect((await without.get('/b')).status).toBe(404)
})

test('folders come first, then names as people count', async () => {
  const { get } = await serve(files, { listing: true })
  expect(names((await get('/', json)).json())).toEqual(['a', 'b', 'File1.txt', 'file2.txt', 'file10.txt'])
})

test('says of each entry what it is, its size and when it changed', async () => {
  const { get } = await serve(files, { listing: true })
  const answer = await get('/', json)
  expect(answer.headers.get('content-type')).toBe('application/json')
  const { path, entries, isComplete } = answer.json() as Json
  expect([path, isComplete]).toEqual(['/', true])
  expect(entries[0]).toMatchObject({ name: 'a', type: 'folder', size: null, href: './a/' })
  expect(entries[4]).toMatchObject({ name: 'file10.txt', type: 'file', size: 10, href: './file10.txt' })
  const age = Date.now() - Date.parse(entries[4]!.modified)
  expect(age).toBeGreaterThan(3_590_000)
  expect(age).toBeLessThan(3_700_000)
})

test.each<[string | undefined, string]>([
  [undefined, 'text/html; charset=utf-8'],
  ['*/*', 'text/html; charset=utf-8'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html; charset=utf-8'],
  ['application/json', 'application/json'],
  ['text/html;q=0.5, application/json', 'application/json'],
  ['application/json;q=0.5, text/html', 'text/html; charset=utf-8'],
  ['image/png', 'text/html; charset=utf-8'],
])('for Accept %s it is %s', async (accept, type) => {
  const { get } = await serve(files, { listing: true })
  const answer = await get('/b/', accept === undefined ? {} : { accept })
  expect(answer.headers.get('content-type')).toBe(type)
  expect(answer.headers.get('vary')).toBe('Accept')
  expect(answer.headers.get('cache-control')).toBe('no-cache')
})

test('the page leads to each entry, up, and runs nothing', async () => {
  const { get } = await serve({ 'a/b/c.txt': 'c', 'a/b/d/e.txt': 'e' }, { listing: true })
  const answer = await get('/a/b/')
  const html = answer.text()
  expect(html).toContain('<title>/a/b/</title>')
  expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
    '../../',
    '../',
    '../',
    './d/',
    './c.txt',
  ])
  expect(html).toMatch(/<data value="1">1 B<\/data>/)
  expect(html).toMatch(/<time datetime="\d{4}-\d\d-\d\dT[\d:.]+Z">\d{4}-\d\d-\d\d \d\d:\d\d<\/time>/)
  expect(html).not.toContain('<script')
  expect(answer.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src 'self'; base-uri 'none'; form-action 'none'$/,
  )
})

test('the root has no way up, and an empty folder says so', async () => {
  const { site, get } = await serve({}, { listing: true })
  await mkdir(join(site.root, 'empty'))
  expect((await get('/')).text()).not.toContain('href="../"')
  expect((await get('/empty/')).text()).toContain('This folder is empty.')
})

test('the path lacks its slash: it is given one, with the query', async () => {
  const { get } = await serve(files, { listing: true })
  const answer = await get('/b?x=1')
  expect([answer.status, answer.headers.get('location')]).toEqual([301, '/b/?x=1'])
})

test('HEAD gives the head alone, another method is told what the path can do', async () => {
  const { ask } = await serve(files, { listing: true })
  const head = await ask('HEAD', '/b/')
  expect([head.status, head.body.length, Number(head.headers.get('content-length')) > 500]).toEqual([
    200,
    0,
    true,
  ])
  const post = await ask('POST', '/b/')
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
})

test('hidden names are not shown, unless they are served', async () => {
  const hidden = { '.env': 'e', '.well-known/a.txt': 'a', 'b/.well-known/a.txt': 'a', 'b/c.txt': 'c' }
  const closed = await serve(hidden, { listing: true })
  expect(names((await closed.get('/', json)).json())).toEqual(['.well-known', 'b'])
  expect(names((await closed.get('/b/', json)).json())).toEqual(['c.txt'])
  expect((await closed.get('/.git/')).status).toBe(404)
  const open = await serve(hidden, { listing: true, dotfiles: true })
  expect(names((await open.get('/', json)).json())).toEqual(['.well-known', 'b', '.env'])
})

test('links are shown as what they lead to, and not at all when they lead out or nowhere', async () => {
  const { site, get } = await serve({ 'a/x.txt': 'xyz' }, { listing: true })
  await site.write({ 'secret.txt': 'SECRET' })
  for (const [name, target] of [
    ['out.txt', '../secret.txt'],
    ['up', '..'],
    ['gone', 'nothing'],
    ['loop', 'loop'],
    ['link.txt', 'a/x.txt'],
    ['folder', 'a'],
  ] as const)
    await symlink(target, join(site.root, name))
  const { entries } = (await get('/', json)).json() as Json
  expect(entries.map(({ name, type, size }) => [name, type, size])).toEqual([
    ['a', 'folder', null],
    ['folder', 'folder', null],
    ['link.txt', 'file', 3],
  ])
  expect((await get('/up/')).status).toBe(404)
})

test.runIf(process.platform !== 'win32')('what is neither file nor folder is not shown', async () => {
  const { site, get } = await serve({ 'a.txt': 'a' }, { listing: true })
  execFileSync('mkfifo', [join(site.root, 'pipe')])
  expect(names((await get('/', json)).json())).toEqual(['a.txt'])
  expect((await get('/pipe')).status).toBe(404)
  expect((await get('/pipe/')).status).toBe(404)
  expect((await get('/a.txt/')).status).toBe(404)
})

test('a list holds for a second', async () => {
  const { site, get } = await serve({ 'a.txt': 'a' }, { listing: true })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  expect(names((await get('/', json)).json())).toEqual(['a.txt'])
  await site.write({ 'public/b.txt': 'b' })
  vi.setSystemTime(Date.now() + 999)
  expect(names((await get('/', json)).json())).toEqual(['a.txt'])
  vi.setSystemTime(Date.now() + 1)
  expect(names((await get('/', json)).json())).toEqual(['a.txt', 'b.txt'])
  await site.write({ 'public/c.txt': 'c' })
  vi.setSystemTime(Date.now() - 60_000)
  expect(names((await get('/', json)).json()), 'the clock was set back').toHaveLength(3)
})

test('a folder that goes is not found', async () => {
  const { site, get } = await serve({ 'a/b.txt': 'b' }, { listing: true })
  expect((await get('/a/')).status).toBe(200)
  await rm(join(site.root, 'a'), { recursive: true })
  expect((await get('/a/')).status).toBe(404)
})

/** The list of a folder, cut after so many entries. */
async function listed(count: number, most: number) {
  const site = await tempSite(Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, ''])))
  onTestFinished(() => site[Symbol.asyncDispose]())
  const place = placeOf(v.parse(staticOptions, { root: site.root, listing: true }), site.root)
  const listings = new Listings(place, most)
  const answer = async (accept: string) => {
    const request = new HttpRequest({ method: 'GET', target: '/', headers: { accept } })
    return (await listings.answer({ real: place.root, depth: 0 }, request))!.text()
  }
  return { json: JSON.parse(await answer('application/json')) as Json, html: await answer('text/html') }
}

test('a long list is cut, with a sentence', async () => {
  const cut = await listed(6, 5)
  expect([cut.json.entries.length, cut.json.isComplete]).toEqual([5, false])
  expect(cut.html).toContain('Only 5 entries are shown: this folder has more.')
  const whole = await listed(5, 5)
  expect([whole.json.entries.length, whole.json.isComplete]).toEqual([5, true])
  expect(whole.html).not.toContain('Only')
})

describe.runIf(process.platform === 'linux')('names of any bytes', () => {
  const bytes = fc
    .uint8Array({ min: 1, minLength: 1, maxLength: 30 })
    .map(each => Buffer.from(each))
    .filter(each => !each.includes(0x2f) && !each.includes(0x5c) && each[0] !== 0x2e)

  test('are listed so that the link leads to the file, whatever they hold', async () => {
    const { site, get } = await serve({}, { listing: true })
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(bytes, { maxLength: 5, selector: each => each.toString('hex') }),
        async all => {
          const folder = `run${run++}`
          await mkdir(join(site.root, folder))
          for (const name of all)
            await writeFile(Buffer.concat([Buffer.from(`${join(site.root, folder)}/`), name]), name)
          const { entries } = (await get(`/${folder}/`, json)).json() as Json
          expect(entries).toHaveLength(all.length)
          const contents = await Promise.all(
            entries.map(async ({ href }) =>
              (await get(new URL(href, `http://a/${folder}/`).pathname)).body.toString('hex'),
            ),
          )
          expect(contents.sort()).toEqual(all.map(name => name.toString('hex')).sort())
        },
      ),
      { numRuns: 100 },
    )
  })

  test('leave the page whole: no tag, attribute or line of theirs is in it', async () => {
    const { site, get } = await serve({}, { listing: true })
    const hostile = fc.oneof(
      fc
        .constantFrom(
          '"><script>alert(1)</script>',
          "' onmouseover='x",
          '<!--',
          '</title>',
          '&lt;',
          '`',
          'javascript:alert(1)',
          'a\nb',
          '\u202egnp.exe',
          '\u2028',
          '{{x}}',
          '</bdi>',
        )
        .map(text => Buffer.from(text)),
      bytes,
    )
    const write = async (folder: string, name: Buffer): Promise<void> => {
      await mkdir(Buffer.concat([Buffer.from(join(site.root, `${folder}-`)), name]))
      await mkdir(join(site.root, folder))
      await writeFile(Buffer.concat([Buffer.from(`${join(site.root, folder)}/`), name]), '')
    }
    const frames = async (folder: string, name: Buffer): Promise<string[]> => {
      await write(folder, name)
      const paths = [`/${folder}/`, `/${folder}-${escaped(name)}/`]
      return await Promise.all(paths.map(async path => frameOf((await get(path)).text())))
    }
    const harmless = await frames('harmless', Buffer.from('plain'))
    let run = 0
    await fc.assert(
      fc.asyncProperty(hostile, async name => {
        const valid = Buffer.from(name.toString('latin1').replaceAll('/', '|'), 'latin1')
        expect(await frames(`run${run++}`, valid)).toEqual(harmless)
      }),
      { numRuns: 200 },
    )
  })

  const escaped = (name: Buffer): string =>
    [...name].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')

  /** A page without the places where names may stand: all pages of one entry have the same. */
  const frameOf = (html: string): string =>
    html
      .replace(/<title>[^<>"'`\n]*<\/title>/, '')
      .replaceAll(/<bdi>[^<>"'`\n]*<\/bdi>/g, '')
      .replaceAll(/href="\.\/[\w.~%-]+"/g, '')
      .replaceAll(/<time[^<]*<\/time>/g, '')
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [1_550, '1.6 kB'],
  [9_949, '9.9 kB'],
  [9_950, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [5_368_709_120, '5.4 GB'],
  [2 ** 53, '9.0 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(readableSize(bytes)).toBe(text)
})
