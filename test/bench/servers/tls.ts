import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createServer, definePlugin, Handle, HttpResponse } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'

// One constant of a kilobyte over TLS.
const { values } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' } } })
const pair = { cert: readFileSync(values.cert!), key: readFileSync(values.key!) }

const answer = HttpResponse.text('x'.repeat(1_024))
const constant = definePlugin({
  name: 'constant',
  site: site => site.hooks.handle.tap({ name: 'constant', stage: Handle.Route }, () => answer),
})
const server = await createServer({ listen: [{ port: 0, tls: true }], plugins: [tls(pair), constant()] })
const [address] = await server.listen()
process.stderr.write(`rawhttp listening on ${address!.url}\n`)
