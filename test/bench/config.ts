import { readFileSync } from 'node:fs'
import { type Config, HttpResponse } from 'rawhttp'
import { router } from 'rawhttp/plugins/router'
import { tls } from 'rawhttp/plugins/tls'

// Rows that need more than the welcome site has get it on top of the config that `npm start` runs, unchanged.

const blob = HttpResponse.bytes(Buffer.alloc(10_000_000, 'x'))

/** The config with a second router: one route that takes JSON, one that answers 10 MB from memory. */
export function withRoutes(config: Config): Config {
  const routes = router('/bench', {
    'POST /orders': async ({ request }) => {
      const { items } = (await request.body.json()) as { readonly items: readonly unknown[] }
      return { received: items.length }
    },
    'GET /blob': () => blob,
  })
  const sites = config.sites?.map(site => ({ ...site, plugins: [...(site.plugins ?? []), routes] }))
  return { ...config, sites }
}

/** The config on a port with TLS, with the certificate and key that the environment names. */
export function withTls(config: Config): Config {
  const { BENCH_CERT = '', BENCH_KEY = '' } = process.env
  const pair = { cert: readFileSync(BENCH_CERT), key: readFileSync(BENCH_KEY) }
  return { ...config, listen: [{ port: 0, tls: true }], plugins: [...(config.plugins ?? []), tls(pair)] }
}
