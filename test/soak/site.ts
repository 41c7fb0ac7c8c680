import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNumber } from '../e2e/reload/site.ts'
import { big, EVENTS, PIECES, page, pieceOf, small } from './content.ts'

const repository = join(import.meta.dirname, '../..')
const configFile = 'rawhttp.config.ts'

/** Writes a site with all that a user would have on one: each answer says which worker and which load it is from. */
export function writeSite(dir: string, { cert, key }: { readonly cert: string; readonly key: string }): void {
  for (const folder of ['public', 'node_modules']) mkdirSync(join(dir, folder))
  symlinkSync(repository, join(dir, 'node_modules/rawhttp'))
  const files: Record<string, string | Buffer> = {
    'package.json': '{"type":"module"}',
    'cert.pem': cert,
    'key.pem': key,
    'public/page.html': page,
    'public/small.txt': small,
    'public/big.bin': big,
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content)
  writeNumber(dir, 0)
  mendConfig(dir)
}

/** What a config may be broken by, each found at another step of a reload. */
const mistakes: readonly string[] = [
  'export default {',
  "throw new Error('broken')",
  'export default { lissten: [] }',
  "import './is-not-there.ts'",
  "import { defineConfig } from 'rawhttp'\nexport default defineConfig({ listen: [{ port: 0, tls: true }] })",
]

export function breakConfig(dir: string, round: number): void {
  writeFileSync(join(dir, configFile), mistakes[round % mistakes.length]!)
}

export function mendConfig(dir: string): void {
  writeFileSync(join(dir, configFile), config)
}

/** The log has what tells a request from all others, and the worker that has answered it. */
export const LOG_LINE = /^soak\/(\S+) (\d{3}|-) (\d+|-) (sent|aborted|failed|timeout|refused) end$/

// Each load keeps what its modules hold for ever: what is large is read once.
const config = `
import { createHash } from 'node:crypto'
import { openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { Connect, defineConfig, definePlugin, HttpResponse } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { health } from 'rawhttp/plugins/health'
import { metrics } from 'rawhttp/plugins/metrics'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { tls } from 'rawhttp/plugins/tls'
import { number } from './number.ts'

const page: string = (globalThis.page ??= readFileSync('public/page.html', 'utf8'))
${pieceOf}

// Written before anything else happens on a connection, so that it is known whose it was when its worker is killed.
const accepted: number = (globalThis.accepted ??= openSync(\`accepted.\${process.pid}\`, 'a'))

const witness = definePlugin({
  name: 'witness',
  server({ hooks }) {
    hooks.connection.tap({ name: 'witness', stage: Connect.Filter }, (_stream, { client }) => {
      writeSync(accepted, \`\${client.port} \${Date.now()}\\n\`)
    })
  },
  site({ hooks }) {
    hooks.deliver.tap('witness', response => {
      response.set('x-worker', String(process.pid)).set('x-number', String(number))
    })
  },
})

async function* stream() {
  for (let piece = 0; piece < ${PIECES}; piece++) {
    yield pieceOf(piece, page)
    await after(1)
  }
}

async function* events(signal: AbortSignal) {
  for (let event = 0; event < ${EVENTS} && !signal.aborted; event++) {
    yield String(event)
    await after(25, undefined, { signal }).catch(() => undefined)
  }
}

async function sum(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of body) hash.update(piece)
  return hash.digest('hex')
}

export default defineConfig({
  listen: [{ port: 0 }, { port: 0, tls: true }],
  limits: { bodyBytes: '4mb' },
  plugins: [
    witness,
    tls({ cert: './cert.pem', key: './key.pem' }),
    accessLog({ file: './access.log', format: '{userAgent} {status} {response.x-worker} {result} end' }),
    compression(),
    cache({ maxSize: '8mb' }),
    health(),
    metrics(),
    router({
      'GET /json/:id': ({ params }) => ({ id: params.id }),
      'GET /cached': () => HttpResponse.html(page).set('cache-control', 'public, max-age=3'),
      'GET /stream': () => HttpResponse.stream(stream(), { headers: { 'content-type': 'text/plain' } }),
      'GET /events': ({ request }) => HttpResponse.events(events(request.signal), { reconnectWithin: 100 }),
      'GET /fail': () => { throw new Error('as it should') },
      'POST /sum': ({ body }) => sum(body.stream()),
    }),
    staticFiles({ root: './public' }),
  ],
})
`
