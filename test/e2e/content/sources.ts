import { randomBytes } from 'node:crypto'
import { HttpResponse } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { tempSite } from '../../plugins/static/temp-site.ts'
import { startServer, type TestServer } from '../../support/server.ts'

/** A resource of the matrix, and what is to be expected of it. */
export interface Source {
  readonly path: string
  readonly bytes: Buffer
  readonly type: string
  /** Whether its identity form can be had in parts. */
  readonly isRanged: boolean
  readonly hasTag: boolean
}

const text = Buffer.from(Array.from({ length: 800 }, (_, i) => `line ${i} of a page\n`).join(''))
const list = Buffer.from(JSON.stringify(Array.from({ length: 400 }, (_, id) => ({ id, name: `name ${id}` }))))
const noise = randomBytes(5_000)

const source = (path: string, bytes: Buffer, type: string, more: Partial<Source>): Source => ({
  path,
  bytes,
  type,
  isRanged: true,
  hasTag: true,
  ...more,
})

const html = 'text/html; charset=utf-8'
export const sources: readonly Source[] = [
  source('/page.html', text, html, {}),
  source('/small.html', Buffer.from('<p>small'), html, {}),
  source('/noise.png', noise, 'image/png', {}),
  source('/packed.css', text, 'text/css; charset=utf-8', {}),
  source('/api/kept', list, 'application/json', {}),
  source('/api/loose', list, 'application/json', { hasTag: false }),
  source('/api/stream', list, 'application/json', { isRanged: false, hasTag: false }),
]

/** Files, a sibling, and an API, behind cache and compression as a config has them. */
export async function serveSources(): Promise<TestServer & { readonly root: string }> {
  const { brotliCompressSync } = await import('node:zlib')
  const site = await tempSite({
    'page.html': text,
    'small.html': '<p>small',
    'noise.png': noise,
    'packed.css': text,
    'packed.css.br': brotliCompressSync(text),
  })
  const api = { 'content-type': 'application/json' }
  const served = await startServer({
    plugins: [compression(), cache()],
    sites: [
      {
        name: 'content',
        plugins: [
          router('/api', {
            'GET /kept': () =>
              HttpResponse.bytes(list, {
                headers: {
                  ...api,
                  etag: '"v1"',
                  'cache-control': 'max-age=60',
                  'content-location': '/api/v1',
                },
              }),
            'GET /loose': () => HttpResponse.bytes(list, { headers: api }),
            'GET /stream': () =>
              HttpResponse.stream(pieces(list), { headers: { ...api, 'cache-control': 'max-age=60' } }),
          }),
          staticFiles({ root: site.root, precompressed: true, cacheControl: 'max-age=60' }),
        ],
      },
    ],
  })
  const end = async () => {
    await served[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  }
  return { ...served, root: site.root, [Symbol.asyncDispose]: end }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000)
}
