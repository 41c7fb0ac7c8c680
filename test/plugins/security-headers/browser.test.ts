import { HttpResponse } from 'rawhttp'
import { CspNonce, securityHeaders } from 'rawhttp/plugins/security-headers'
import { expect, test } from 'vitest'
import { startChromium } from '../../support/chromium.ts'
import { answering, startServer } from '../../support/server.ts'

/** Of the kind that people write by hand: everything in the page. */
const plain = `<!doctype html><title>old</title><style>body { color: rgb(1, 2, 3) }</style>
<body onload="document.title = 'new'"><object data="/picture.svg" type="image/svg+xml"></object></body>`

const withNonce = (nonce: string) => `<!doctype html><title>old</title>
<script nonce="${nonce}">document.title += ' mine'</script><script>document.title += ' evil'</script>`

test('Chromium shows a page with its scripts and styles, and complains of nothing', {
  timeout: 60_000,
}, async () => {
  await using browser = await startChromium()
  const picture = { headers: { 'content-type': 'image/svg+xml' } }
  await using server = await startServer({
    plugins: [
      securityHeaders(),
      answering(({ path }) =>
        path === '/'
          ? HttpResponse.html(plain)
          : HttpResponse.text('<svg xmlns="http://www.w3.org/2000/svg"/>', picture),
      ),
    ],
  })
  const page = await browser.context.newPage()
  const complaints: string[] = []
  page.on('console', message => complaints.push(message.text()))
  await page.goto(server.url, { waitUntil: 'load' })
  expect(await page.title()).toBe('new')
  expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(1, 2, 3)')
  expect(complaints).toEqual([])
  expect(await page.evaluate('window.originAgentCluster')).toBe(true)
  const asked = "navigator.permissions.query({ name: 'geolocation' }).then(({ state }) => state)"
  expect(await page.evaluate(asked)).toBe('denied')
})

test('Chromium runs only the script with the nonce, and frames the page nowhere else', {
  timeout: 60_000,
}, async () => {
  await using browser = await startChromium()
  await using server = await startServer({
    plugins: [
      securityHeaders({ contentSecurityPolicy: { 'script-src': "'nonce'", 'frame-ancestors': "'self'" } }),
      answering(request => HttpResponse.html(withNonce(request.get(CspNonce)))),
    ],
  })
  const framing = answering(() => HttpResponse.html(`<iframe src="${server.url}"></iframe>`))
  await using other = await startServer({ plugins: [framing] })
  const page = await browser.context.newPage()
  await page.goto(server.url, { waitUntil: 'load' })
  expect(await page.title()).toBe('old mine')
  const complaints: string[] = []
  page.on('console', message => complaints.push(message.text()))
  await page.goto(other.url, { waitUntil: 'load' })
  expect(complaints.join('\n')).toMatch(/frame/i)
})
