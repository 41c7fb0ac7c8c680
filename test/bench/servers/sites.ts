import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createServer, defineSite } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { compression } from 'rawhttp/plugins/compression'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'

// So many sites with the usual plugins, each with a folder and so many routes of its own.
const { values } = parseArgs({
  options: {
    sites: { type: 'string', default: '1' },
    routes: { type: 'string', default: '10' },
    files: { type: 'string', default: '1' },
    /** All sites have the same paths. */
    alike: { type: 'boolean', default: false },
  },
})
const [routes, files] = [Number(values.routes), Number(values.files)]

const folder = mkdtempSync(join(tmpdir(), 'rawhttp-sites-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))

const four = (number: number): string => String(number).padStart(4, '0')

function siteOf(_: unknown, place: number) {
  const root = join(folder, four(place))
  mkdirSync(root)
  for (let file = 0; file < files; file++) {
    const page = join(root, `${four(file)}.html`)
    writeFileSync(page, `<!doctype html>\n<title>${four(place)}</title>\n${'<p>A page.</p>\n'.repeat(70)}`)
    // Left alone for so long that its tag is a strong one.
    utimesSync(page, new Date(0), new Date(0))
  }
  const table = Array.from({ length: routes }, (_each, route) => [
    `GET /r${four((values.alike ? 0 : place * routes) + route)}/:id`,
    ({ params }: { params: { id: string } }) => `${four(place)} ${four(route)} ${params.id}\n`,
  ])
  return defineSite({
    name: `site-${four(place)}`,
    hosts: [`s${four(place)}.example`],
    plugins: [routes > 0 && router(Object.fromEntries(table)), staticFiles({ root })],
  })
}

const server = await createServer({
  listen: [{ port: 0 }],
  plugins: [accessLog(), compression(), cache(), errorPages()],
  sites: Array.from({ length: Number(values.sites) }, siteOf),
})
const [address] = await server.listen()
process.stderr.write(`sites listening on ${address!.url}\n`)
