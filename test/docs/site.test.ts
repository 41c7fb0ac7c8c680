import { globSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { createServer, type Server } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { docsIn } from '../../sites/docs/index.ts'
import { build } from '../../sites/docs/make/build.ts'
import config from '../../sites/docs/rawhttp.config.ts'
import { type Browser, openPage, startChromium } from '../support/chromium.ts'

// The documentation as a person meets it: built, served by rawhttp, in a real Chromium.

let folder: string
let server: Server
let url: string
let browser: Browser
let page: Page
let complaints: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rawhttp-docs-'))
  const root = join(folder, 'public')
  await build(root)
  server = await createServer({
    listen: [{ port: 0 }],
    plugins: [compression(), cache()],
    sites: [docsIn(root)],
  })
  url = (await server.listen())[0]!.url
}, 120_000)

afterAll(async () => {
  await server?.stop()
  await rm(folder, { recursive: true })
})

/** The pages that were built, by their paths. */
const paths = () =>
  globSync('**/*.html', { cwd: join(folder, 'public') })
    .map(file => `/${file.replace(/\.html$/, '')}`)
    .filter(path => path !== '/404')
    .map(path => (path === '/index' ? '/' : path))
    .sort()

describe('the documentation, served', () => {
  it('has its pages at clean addresses, with the policy that allows nothing within a page', async () => {
    expect(paths()).toEqual(
      expect.arrayContaining(['/', '/plugins/tls', '/reference/config', '/limits', '/architecture']),
    )
    for (const path of paths()) {
      const answer = await server.inject(path)
      expect(answer.status, path).toBe(200)
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(answer.text(), path).not.toMatch(/<style|style="|<script(?! src)|javascript:| on\w+="/)
    }
    const policy = (await server.inject('/')).headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
  })

  it('comes compressed, its search index too', async () => {
    const headers = { 'accept-encoding': 'gzip' }
    const { body, headers: fields } = await server.inject({ url: '/search.json', headers })
    expect(fields.get('content-encoding')).toBe('gzip')
    expect(body.length).toBeLessThan(250_000)
  })

  it('lets a picture have its style, and nothing else', async () => {
    const { headers } = await server.inject('/pictures/tls.svg')
    expect(headers.getAll('content-security-policy')).toEqual([
      "default-src 'none'; style-src 'unsafe-inline'",
    ])
  })

  it('shows files of the project as text', async () => {
    const answer = await server.inject('/source/compose.yaml')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
  })

  it('has a config that serves what `npm run docs` builds', () => {
    const { sites = [] } = config as { readonly sites?: readonly { readonly name: string }[] }
    expect(sites.map(({ name }) => name)).toEqual(['docs'])
  })
})

describe('the documentation in Chromium', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    browser = await startChromium()
    ;({ page, complaints } = await openPage(browser))
  })

  afterEach(async () => {
    await browser?.[Symbol.asyncDispose]()
  })

  const ready = () => page.waitForSelector('html[data-search="ready"]')
  const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')

  it('loads every kind of page without a complaint, its pictures and its style sheet too', async () => {
    for (const path of [
      '/',
      '/request-line',
      '/hooks',
      '/tls',
      '/reload',
      '/plugins/router',
      '/reference/plugin-options',
    ]) {
      await page.goto(url + path, { waitUntil: 'load' })
      await ready()
      expect(await page.evaluate('[...document.images].every(image => image.naturalWidth > 100)'), path).toBe(
        true,
      )
      expect(await page.evaluate('document.styleSheets[0].cssRules.length > 50')).toBe(true)
    }
    expect(complaints).toEqual([])
  })

  it('finds a page by the keyboard alone', async () => {
    await page.goto(url)
    await ready()
    await page.keyboard.press('/')
    await page.keyboard.type('ticketRot')
    await page.waitForSelector('#hits a')
    expect(await page.textContent('#found')).toMatch(/^\d+ found$/)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/(?:plugins\/tls|reference\/)/)
    expect(complaints).toEqual([])
  })

  it('goes to the first that it has found at Enter', async () => {
    await page.goto(url)
    await ready()
    await page.fill('#query', 'refused messages')
    await page.waitForSelector('#hits a')
    await page.press('#query', 'Enter')
    await page.waitForURL('**/refusals')
    expect(complaints).toEqual([])
  })

  it('says when it finds nothing, and closes at Escape', async () => {
    await page.goto(`${url}/limits`)
    await ready()
    await page.fill('#query', 'xyzzyplugh')
    // Not waitForFunction: the policy of the site forbids what it does.
    await page.locator('#found', { hasText: 'Nothing has “xyzzyplugh”.' }).waitFor()
    await page.keyboard.press('Escape')
    expect(await page.isVisible('.results')).toBe(false)
    expect(await page.evaluate('document.activeElement.id')).toBe('query')
  })

  it('begins with a way past the navigation, and shows where the focus is', async () => {
    await page.goto(url)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.className')).toBe('skip')
    expect(await page.evaluate('document.activeElement.getBoundingClientRect().left >= 0')).toBe(true)
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
  })

  it('can be read and walked without scripts; only the search is not there', async () => {
    const session = await browser.context.newCDPSession(page)
    await session.send('Emulation.setScriptExecutionDisabled', { value: true })
    await page.goto(url)
    expect(await page.isVisible('.search')).toBe(false)
    await page.click('.menu a[href="/plugins/cache"]')
    await page.waitForURL('**/plugins/cache')
    expect(await page.textContent('h1')).toBe('cache')
    expect(await page.getAttribute('.menu [aria-current]', 'href')).toBe('/plugins/cache')
  })

  it('fits a narrow window, tables and code too', async () => {
    await page.setViewportSize({ width: 360, height: 800 })
    for (const path of [
      '/',
      '/comparison',
      '/reference/plugin-options',
      '/reference/api/responses',
      '/plugins/tls',
      '/refusals',
    ]) {
      await page.goto(url + path)
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, path).toBeLessThanOrEqual(0)
    }
  })

  it('follows the dark scheme, and so do its pictures', async () => {
    await page.goto(`${url}/hooks`, { waitUntil: 'load' })
    const light = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await background()).not.toBe(light)
    // On the same ground, so that only the picture itself can differ.
    await page.evaluate('document.body.style.background = "gray"')
    const picture = async () => (await page.locator('article img').screenshot()).toString('base64')
    const drawn = await picture()
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await picture()).not.toBe(drawn)
  })

  it('prints the text alone', async () => {
    await page.goto(`${url}/start`)
    await page.emulateMedia({ media: 'print' })
    expect(await page.isVisible('h1')).toBe(true)
    for (const part of ['.top', '.menu', '.contents', '.turn'])
      expect(await page.isVisible(part), part).toBe(false)
  })

  it('shows its own page for what is not there', async () => {
    const answer = await page.goto(`${url}/no/such/page`)
    expect(answer?.status()).toBe(404)
    expect(await page.textContent('h1')).toBe('404 Not Found')
    expect(await page.isVisible('.menu a[href="/"]')).toBe(true)
  })
})
