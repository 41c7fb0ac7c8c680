import { expect, test } from 'vitest'
import { serve } from './serve.ts'

const files = {
  'index.html': 'home',
  'about.html': 'about',
  'docs.html': 'docs page',
  'docs/index.html': 'docs folder',
  'docs/guide.html': 'guide',
  'both.html': 'both.html',
  both: 'both',
  '.html': 'only an extension',
  'a b.html': 'a b',
}

test('/page is answered by page.html where that is asked for', async () => {
  const { get } = await serve(files, { cleanUrls: true })
  expect((await get('/about')).text()).toBe('about')
  expect((await get('/about')).headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect((await get('/docs/guide')).text()).toBe('guide')
  expect((await get('/a%20b')).text()).toBe('a b')
  expect((await get('/nothing')).status).toBe(404)
  expect((await get('/about/')).status).toBe(404)
  const without = await serve(files)
  expect((await without.get('/about')).status).toBe(404)
  expect((await without.get('/about.html')).status).toBe(200)
  expect((await without.get('/index.html')).status).toBe(200)
})

test('a file of that very name comes first, then the page, then the folder', async () => {
  const { get } = await serve(files, { cleanUrls: true })
  expect((await get('/both')).text()).toBe('both')
  expect((await get('/docs')).text()).toBe('docs page')
  expect((await get('/docs/')).text()).toBe('docs folder')
})

test.each([
  ['/about.html', '/about'],
  ['/about.html?a=1&b=/', '/about?a=1&b=/'],
  ['/docs/guide.html', '/docs/guide'],
  ['/index.html', '/'],
  ['/index', '/'],
  ['/docs/index.html?x', '/docs/?x'],
  ['/docs/index', '/docs/'],
  ['/a%20b.html', '/a%20b'],
  ['//about.html', '/about'],
])('%s leads to %s', async (url, location) => {
  const { get } = await serve(files, { cleanUrls: true })
  const answer = await get(url)
  expect([answer.status, answer.headers.get('location')]).toEqual([301, location])
})

test('no redirect leads to another file, or to none', async () => {
  const { get } = await serve(files, { cleanUrls: true })
  expect((await get('/both.html')).text()).toBe('both.html')
  const two = await serve(
    { 'index.html': 'first', 'main.html': 'second' },
    {
      cleanUrls: true,
      index: ['index.html', 'main.html'],
    },
  )
  expect((await two.get('/main.html')).text()).toBe('second')
  const dots = await serve(files, { cleanUrls: true, dotfiles: true })
  expect((await dots.get('/.html')).text()).toBe('only an extension')
})

test('hidden pages stay hidden', async () => {
  const { get } = await serve({ '.well-known.html': 'x', '.secret.html': 'x' }, { cleanUrls: true })
  expect((await get('/.well-known')).status).toBe(404)
  expect((await get('/.secret')).status).toBe(404)
})

test('another method is told what the page can do, by either name', async () => {
  const { ask } = await serve(files, { cleanUrls: true })
  for (const url of ['/about', '/about.html']) {
    const { status, headers } = await ask('POST', url)
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  }
})
