import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Browser, openPage, startChromium } from '../support/chromium.ts'
import { serve } from './package/shell.ts'

// The welcome site as a person meets it: the real command, a real Chromium.

const root = join(import.meta.dirname, '../..')
/** Where the README's picture is kept; only this run's picture is checked, unless it is asked to be renewed. */
const picture = join(root, 'docs/welcome.png')

/** Runs in the page, which has types of its own: hence as text. */
const greeted = (name: string) =>
  `document.querySelector('#answer').textContent === ${JSON.stringify(`Hello, ${name}!`)}`

let server: Awaited<ReturnType<typeof serve>>
let browser: Browser
let page: Page
let complaints: string[]

beforeAll(async () => {
  server = await serve(process.execPath, root, ['--conditions=rawhttp-source', join(root, 'core/cli.ts')])
})

afterAll(async () => {
  await server.stop()
})

beforeEach(async () => {
  browser = await startChromium()
  ;({ page, complaints } = await openPage(browser))
})

afterEach(async () => {
  await browser?.[Symbol.asyncDispose]()
})

describe('the welcome site in Chromium', { timeout: 60_000 }, () => {
  it('loads without a complaint, with its style sheet applied and its script run', async () => {
    const answer = await page.goto(server.url, { waitUntil: 'load' })
    expect(answer?.status()).toBe(200)
    await page.waitForSelector('html[data-ready="true"]')
    const sheets = await page.evaluate('[...document.styleSheets].map(sheet => sheet.cssRules.length > 10)')
    expect(sheets).toEqual([true])
    expect(complaints).toEqual([])
  })

  it('greets by the API: once at load, and again for the name that is typed', async () => {
    await page.goto(server.url)
    await page.waitForFunction(greeted('world'))
    await page.fill('#name', '<b>Ada & Grace</b>')
    await page.press('#name', 'Enter')
    await page.waitForFunction(greeted('<b>Ada & Grace</b>'))
    expect(await page.textContent('#answer')).toBe('Hello, <b>Ada & Grace</b>!')
    expect(complaints).toEqual([])
  })

  it('shows its own page for what is not there, and for what fails', async () => {
    const missing = await page.goto(`${server.url}/no-such-page`)
    expect(missing?.status()).toBe(404)
    expect(await page.title()).toBe('404 Not Found')
    expect(await page.locator('a[href="/"]').first().isVisible()).toBe(true)

    const failed = await page.goto(`${server.url}/api/fail`)
    expect(failed?.status()).toBe(500)
    expect(await page.title()).toBe('500 Internal Server Error')
    expect(await page.content()).not.toContain('on purpose')
  })

  it('fits a narrow window and follows the dark scheme', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 360, height: 800 })
    await page.goto(server.url)
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const [red = 255, green = 255, blue = 255] = background.match(/\d+/g)?.map(Number) ?? []
    expect(red + green + blue).toBeLessThan(200)
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBeLessThanOrEqual(0)
  })

  it('makes the picture of the README', async () => {
    await page.goto(server.url)
    await page.waitForFunction(greeted('world'))
    const { UPDATE_PICTURES } = process.env
    const bytes = await page.screenshot(UPDATE_PICTURES === 'true' ? { path: picture } : {})
    expect(bytes.subarray(1, 4).toString()).toBe('PNG')
    expect(bytes.length).toBeGreaterThan(20_000)
  })
})
