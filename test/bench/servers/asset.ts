import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createServer, definePlugin, Handle, HttpResponse, type Plugins } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { staticFiles } from 'rawhttp/plugins/static'

// One asset of 50 kB: as a constant that a handler answers with, or as a file behind compression and a cache.
const { values } = parseArgs({ options: { from: { type: 'string', default: 'constant' } } })

let seed = 1
const word = (): string => {
  seed = (seed * 48_271) % 2_147_483_647
  return (seed % 5_000).toString(36)
}
const text = Array.from({ length: 20_000 }, word).join(' ').slice(0, 50_000)

const constant = definePlugin({
  name: 'constant',
  site(site) {
    const response = HttpResponse.bytes(Buffer.from(text), { headers: { 'content-type': 'text/plain' } })
    site.hooks.handle.tap({ name: 'constant', stage: Handle.Route }, () => response)
  },
})

function plugins(): Plugins {
  if (values.from === 'constant') return [constant()]
  const root = mkdtempSync(join(tmpdir(), 'rawhttp-asset-'))
  process.once('exit', () => rmSync(root, { recursive: true }))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
  writeFileSync(join(root, 'asset.txt'), text)
  // Left alone for so long that its tag is a strong one.
  utimesSync(join(root, 'asset.txt'), new Date(0), new Date(0))
  return [compression(), cache(), staticFiles({ root })]
}

const server = await createServer({ listen: [{ port: 0 }], plugins: plugins() })
const [address] = await server.listen()
process.stderr.write(`asset listening on ${address!.url}\n`)
