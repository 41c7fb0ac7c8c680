import { parseArgs } from 'node:util'
import { createServer, Handle, HttpResponse } from 'rawhttp'
import { onSite } from '../../support/in-memory.ts'
import { type PluginCase, pluginCases } from '../plugin-cases.ts'

// A constant of a kilobyte behind the plugins of a case; without one, the constant alone.
const { values } = parseArgs({
  options: { case: { type: 'string' }, folder: { type: 'string', default: '.' } },
})
const bare: PluginCase = { plugins: () => [] }
const { plugins, answer = {} } = values.case === undefined ? bare : pluginCases[values.case]!

const response = HttpResponse.text('x'.repeat(1_024), { headers: answer })
// Behind routes and files, which may answer in its place.
const constant = onSite('constant', site =>
  site.hooks.handle.tap({ name: 'constant', stage: Handle.Static + 1 }, () => response),
)
const server = await createServer({
  listen: [{ port: 0 }],
  plugins: [await plugins(values.folder), constant],
})
const [address] = await server.listen()
process.stderr.write(`plugin listening on ${address!.url}\n`)
