import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { HttpResponse } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { inspector } from 'rawhttp/plugins/inspector'
import { router } from 'rawhttp/plugins/router'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { RawClient } from 'rawhttp/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Browser, openPage, startChromium } from '../support/chromium.ts'
import { startServer, type TestServer } from '../support/server.ts'

// The inspector as a person uses it, in a real Chromium. What runs in the page has types of its own: hence it is text.

/** Where the README's picture is kept; only this run's picture is checked, unless it is asked to be renewed. */
const picture = join(import.meta.dirname, '../../docs/inspector.png')

let browser: Browser
let server: TestServer
let page: Page
let complaints: string[]

beforeAll(async () => {
  browser = await startChromium()
})

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  server = await startServer({
    plugins: [
      inspector({ perSecond: 1_000 }),
      securityHeaders(),
      compression(),
      cache(),
      router({
        'GET /api/hello/:name': ({ params }) =>
          HttpResponse.json({ hello: params.name }, { headers: { 'cache-control': 'max-age=60' } }),
        'POST /api/orders': () => HttpResponse.json({ order: 1 }, 201),
        'GET /api/fail': () => {
          throw new Error('on purpose')
        },
      }),
    ],
    sites: [{ name: 'shop', hosts: ['*'] }],
  })
  ;({ page, complaints } = await openPage(browser))
  page.on('dialog', dialog => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
})

afterEach(async () => {
  await page.close()
  await server[Symbol.asyncDispose]()
  expect(complaints).toEqual([])
})

async function open(): Promise<void> {
  await page.goto(`${server.url}/.rawhttp/inspector`)
  await page.waitForSelector('#state[data-state="live"]')
  // The first frame says that this page is watched for.
  await until(`document.querySelector('#gauge-connections').textContent`).not.toBe('–')
}

const ask = (path: string, method = 'GET') => fetch(`${server.url}${path}`, { method })

/** What stands in the rows in sight, from the top. */
const rows = (cell = 'path') =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll('#canvas .row:not([hidden])')]
      .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
      .map(row => row.querySelector('.${cell}').textContent)`,
  )

// The page's policy lets no text become code: what Playwright evaluates itself may, what it would poll with may not.
const until = (expression: string) =>
  expect.poll(() => page.evaluate(expression), { timeout: 20_000, interval: 50 })

/** A change is drawn with the next frame: until then the rows of before show, which may be as many. */
const untilPaths = (...paths: readonly string[]) =>
  expect.poll(() => rows(), { timeout: 20_000 }).toEqual(paths)

const untilRows = (count: number) =>
  until(`document.querySelectorAll('#canvas .row:not([hidden])').length`).toBe(count)

describe('the inspector in Chromium', { timeout: 60_000 }, () => {
  it('shows requests as they come, the newest first, each with its way', async () => {
    await open()
    for (const path of ['/api/hello/ada', '/api/hello/ada', '/none', '/api/fail']) await ask(path)
    await untilRows(4)
    expect(await rows()).toEqual(['/api/fail', '/none', '/api/hello/ada', '/api/hello/ada'])
    expect(await rows('status')).toEqual(['500', '404', '200', '200'])
    expect(await rows('by')).toEqual(['router', 'kernel', 'cache', 'router'])
    expect(await rows('site')).toEqual(['shop', 'shop', 'shop', 'shop'])
    const ways = await page.$$eval('#canvas .row:not([hidden]) .strip', strips =>
      strips.map(strip => strip.children.length),
    )
    expect(ways).toEqual([6, 6, 6, 6])
    // What takes longer is wider, and all together they fill their place.
    const widths = await page.evaluate<[part: number, whole: number][]>(
      `[...document.querySelectorAll('#canvas .row:not([hidden]) .strip')].map(strip => [
        strip.lastElementChild.getBoundingClientRect().right - strip.getBoundingClientRect().left,
        strip.getBoundingClientRect().width,
      ])`,
    )
    for (const [part, whole] of widths) expect(part).toBeCloseTo(whole, 0)
    await until(`document.querySelector('#gauge-hits').textContent`).toBe('1')
    expect(await page.textContent('#gauge-misses')).toMatch(/^\d+$/)
  })

  it('shows those that the filters let through, also when they come later', async () => {
    await open()
    for (const path of ['/api/hello/ada', '/none', '/api/fail']) await ask(path)
    await ask('/api/orders', 'POST')
    await untilRows(4)
    await page.fill('#filter-text', 'HELLO')
    await untilPaths('/api/hello/ada')
    await ask('/api/hello/grace')
    await untilPaths('/api/hello/grace', '/api/hello/ada')
    await page.click('button[type=reset]')
    await untilRows(5)
    await page.selectOption('#filter-status', '4')
    await untilPaths('/none')
    await page.selectOption('#filter-status', '')
    await page.selectOption('#filter-method', 'POST')
    await untilPaths('/api/orders')
    await page.selectOption('#filter-method', '')
    await page.selectOption('#filter-plugin', 'kernel')
    await untilPaths('/none')
    await page.selectOption('#filter-site', 'shop')
    await until(`document.querySelector('#shown').textContent`).toBe('1 request of 5 shown')
  })

  it('is paused, resumed and cleared', async () => {
    await open()
    await ask('/one')
    await untilRows(1)
    await page.click('#pause')
    expect(await page.getAttribute('#pause', 'aria-pressed')).toBe('true')
    await ask('/two')
    await until(`document.querySelector('#left-out').textContent`).toBe('1 request left out')
    expect(await rows()).toEqual(['/one'])
    await page.click('#pause')
    await ask('/three')
    await untilRows(2)
    await page.click('#clear')
    await untilRows(0)
    expect(await page.textContent('#empty')).toBe('Waiting for requests …')
  })

  it('is used by keyboard alone: arrows choose, Enter opens, Escape closes and gives the focus back', async () => {
    await open()
    for (const path of ['/one', '/two', '/three']) await ask(path)
    await untilRows(3)
    await page.focus('#clear')
    await page.keyboard.press('Tab')
    const active = () =>
      page.evaluate<string>(
        `document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).querySelector('.path').textContent`,
      )
    const untilActive = (path: string) => expect.poll(active).toBe(path)
    await untilActive('/three')
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')
    expect(outline).toBe('solid')
    await page.keyboard.press('ArrowDown')
    await untilActive('/two')
    await page.keyboard.press('End')
    await untilActive('/one')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    expect(await page.textContent('#detail-title')).toBe('GET /two 404')
    expect(await page.evaluate('document.activeElement.id')).toBe('detail-title')
    await page.keyboard.press('Escape')
    expect(await page.isVisible('#detail')).toBe(false)
    expect(await page.evaluate('document.activeElement.id')).toBe('rows')
    await untilActive('/two')
  })

  it('tells on a click what each tap did, why others did not run, and who set each field', async () => {
    await open()
    await ask('/api/hello/ada')
    await untilRows(1)
    await page.click('#canvas .row .path')
    const tree = (await page.locator('.hook').allInnerTexts()).join('\n')
    expect(tree).toMatch(/router:handler answered 200 [\d.]+ ms · Handle.Route · e2e\/inspector.test.ts:\d+/)
    expect(tree).toContain('not asked: router answered before')
    expect(tree).toContain('vary: Accept-Encoding')
    const fields = await page.locator('#detail-content table').first().locator('tr').allInnerTexts()
    expect(fields.find(row => row.startsWith('x-content-type-options'))).toMatch(
      /nosniff\s+security-headers\s+e2e\/inspector.test.ts:\d+/,
    )
    expect(fields.find(row => row.startsWith('date'))).toContain('RFC 9110')
    expect(await page.locator('.stations li b').allInnerTexts()).toEqual([
      'client',
      'listener',
      'parser',
      'router',
      'plugins',
      'response',
    ])
  })

  it('opens what the pointer was put on, also when newer requests come before it is released', async () => {
    await open()
    await ask('/aimed')
    await untilRows(1)
    await page.hover('#canvas .row:not([hidden]) .path')
    await page.mouse.down()
    await ask('/newer')
    await untilRows(2)
    expect((await rows())[0]).toBe('/newer')
    await page.mouse.up()
    expect(await page.textContent('#detail-title')).toBe('GET /aimed 404')
  })

  it('shows what a client sends as text, wherever it stands', async () => {
    await open()
    const attack = `<img src=x onerror=alert(1)><script>alert(2)</script>"'>`
    await using client = await RawClient.connect(server.port)
    client.send(
      [
        `GET /%3Cscript%3Ealert(1)%3C/script%3E?q="'><svg/onload=alert(3)> HTTP/1.1`.replaceAll(
          /["<>](?=.*HTTP)/g,
          '%22',
        ),
        'host: localhost',
        'connection: close',
        `user-agent: ${attack}`,
        `x-${'a'.repeat(40)}: ${attack}`,
        `referer: javascript:alert(4)`,
        '',
        '',
      ].join('\r\n'),
    )
    await client.rest()
    await using refused = await RawClient.connect(server.port)
    refused.send(`GET /<b>x</b> HTTP/1.1\r\nhost: ${attack}\r\n\r\n`)
    await refused.rest()
    await untilRows(2)
    await page.click('#canvas .row[data-status="4"] .path')
    await page.locator('#canvas .row', { hasText: 'alert(1)' }).click()
    await page.waitForSelector('#detail-content')
    expect(await page.textContent('#detail-content')).toContain(attack)
    const made = await page.evaluate(
      `[...document.querySelectorAll('main :is(img, script, svg, a, b *)')].map(each => each.outerHTML)`,
    )
    expect(made).toEqual([])
  })

  it('follows the dark scheme and a narrow window', async () => {
    await open()
    await ask('/one')
    await untilRows(1)
    const brightness = () =>
      page.evaluate<number>(
        `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, each) => sum + Number(each), 0)`,
      )
    expect(await brightness()).toBeGreaterThan(600)
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
    expect(await brightness()).toBeLessThan(200)
    expect(await page.evaluate(`getComputedStyle(document.querySelector('#pause')).transitionDuration`)).toBe(
      '0s',
    )
    await page.setViewportSize({ width: 380, height: 800 })
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    await page.setViewportSize({ width: 1280, height: 900 })
  })

  it('comes back by itself when a reload ends its stream', async () => {
    await open()
    await ask('/one')
    await untilRows(1)
    await server.server.reload({ listen: [{ port: 0 }], plugins: [inspector()] })
    await page.waitForSelector('#state:not([data-state="live"])')
    await page.waitForSelector('#state[data-state="live"]', { timeout: 30_000 })
    await ask('/two')
    await untilRows(2)
    complaints = complaints.filter(text => !text.includes('ERR_INCOMPLETE_CHUNKED_ENCODING'))
  })

  it('stays usable while a thousand requests a second come', async () => {
    await open()
    await page.evaluate(`{
      const frames = window.frameTimes = []
      const next = now => { frames.push(now); requestAnimationFrame(next) }
      requestAnimationFrame(next)
    }`)
    const turns = 40
    const batch = `GET /api/hello/load HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(100)
    await using client = await RawClient.connect(server.port)
    for (let turn = 0; turn < turns; turn++) {
      client.send(batch)
      await new Promise(resolve => setTimeout(resolve, 100))
      // In the middle of it, somebody filters.
      if (turn === 20) await page.fill('#filter-text', 'load')
    }
    await server.untilEnded(turns * 100)
    const total = `Number(document.querySelector('#shown').textContent.match(/of (\\d+)/)[1])`
    await until(total).toBe(1_000)
    const { frames, elements, shown } = await page.evaluate<{
      frames: number
      elements: number
      shown: string
    }>(`({
      frames: window.frameTimes.length,
      elements: document.querySelectorAll('*').length,
      shown: document.querySelector('#shown').textContent,
    })`)
    // A page that freezes draws next to nothing; ten frames come a second from the server, and each is drawn.
    expect(frames).toBeGreaterThan(turns)
    expect(elements).toBeLessThan(1_500)
    expect(shown).toBe('1,000 requests of 1000 shown')
    await page.fill('#filter-text', 'nothing fits')
    await untilRows(0)
  })

  it('makes the picture of the README', async () => {
    await open()
    for (let i = 0; i < 7; i++) {
      await ask(`/api/hello/${['ada', 'grace', 'alan'][i % 3]}`)
      await ask('/api/orders', i % 2 === 0 ? 'POST' : 'PUT')
      await ask(i % 3 === 0 ? '/api/fail' : '/favicon.ico')
      await ask(`/api/hello/${['ada', 'grace', 'alan'][i % 3]}`)
    }
    await untilRows(28)
    await page.locator('#canvas .row[data-by="router"] .path', { hasText: 'grace' }).first().click()
    await page.waitForSelector('.hook')
    const { UPDATE_PICTURES } = process.env
    const bytes = await page.screenshot(UPDATE_PICTURES === 'true' ? { path: picture } : {})
    expect(bytes.subarray(1, 4).toString()).toBe('PNG')
    expect(bytes.length).toBeGreaterThan(20_000)
  })
})
