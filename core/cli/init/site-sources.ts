/** The config, with what a beginner wants to know beside each line. */
export const config = (ts: string): string => `import { defineConfig } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { lint } from 'rawhttp/plugins/lint'
import { securityHeaders } from 'rawhttp/plugins/security-headers'
import { site } from './site/index.${ts}'

// What \`npm start\` serves. \`npm run check\` finds mistakes in it without opening a port, and \`npm run dev\` loads it
// again whenever it or a module that it imports has changed.
export default defineConfig(({ mode }) => ({
  // Only this machine can reach it. host: '0.0.0.0' opens it to the network, and so does \`npm start -- --host 0.0.0.0\`;
  // flags, PORT and HOST win over what stands here.
  listen: [{ port: 8080 }],

  // For every site. Each plugin knows its place on a request's way, whatever the order here.
  plugins: [
    accessLog(), // a line for each request on standard output
    securityHeaders({
      // Scripts, styles and pictures come from this site alone, and no script or style stands in a page.
      contentSecurityPolicy: {
        'default-src': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
        'object-src': ["'none'"],
      },
    }),
    compression(), // zstd, br or gzip, as each client likes it best
    cache(), // files while they are unchanged, answers while their Cache-Control says so
    mode === 'development' && lint(), // with \`npm run dev\`: what caches and browsers will take amiss, and who did it
  ],

  // A site answers every host unless it says \`hosts: ['example.com', '*.example.com']\`.
  sites: [site],
}))
`

/** The site: what belongs to its hosts alone. */
export const siteModule = (ts: string): string => `import { defineSite } from 'rawhttp'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { hello } from './api/hello.${ts}'

export const site = defineSite({
  name: 'main',
  // Relative paths count from here.
  dir: import.meta.dirname,
  plugins: [
    // One page for all errors; clients that prefer JSON get problem details instead.
    errorPages({ pages: { '4xx': './error.html', '5xx': './error.html' } }),
    router('/api', {
      'GET /hello/:name': hello,
    }),
    staticFiles({ root: './public' }),
  ],
})
`

/** The route. */
export const helloApi = `/** Greets who is named in the path: what a handler returns is sent as JSON. */
export function hello({ params }: { readonly params: { readonly name: string } }) {
  return { hello: params.name }
}
`

/** The test of all that. */
export const siteTest = (ts: string): string => `import { createServer } from 'rawhttp'
import { afterAll, expect, test } from 'vitest'
import { site } from '../site/index.${ts}'

// Requests go the whole way that others go, but without a socket.
const server = await createServer({ sites: [site] })
afterAll(() => server.stop())

test('the page is served', async () => {
  const page = await server.inject('/')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.text()).toContain('<h1>')
})

test('the API greets by name', async () => {
  const answer = await server.inject('/api/hello/Ada')
  expect(answer.status).toBe(200)
  expect(answer.json()).toEqual({ hello: 'Ada' })
})

test('a browser gets the error page for what is not there', async () => {
  const page = await server.inject({ url: '/nowhere', headers: { accept: 'text/html' } })
  expect(page.status).toBe(404)
  expect(page.text()).toContain('<strong>404</strong>')
})

test('a program gets problem details for it', async () => {
  const answer = await server.inject({ url: '/api/nowhere', headers: { accept: 'application/json' } })
  expect(answer.json()).toMatchObject({ status: 404, title: 'Not Found' })
})
`
