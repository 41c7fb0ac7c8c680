import { createServer, type PluginEntry } from 'rawhttp'
import { proxyProtocol } from 'rawhttp/plugins/proxy-protocol'
import { expect, test } from 'vitest'

const address =
  "an address such as '192.0.2.7', a network such as '10.0.0.0/8', or 'loopback', 'private' or 'unix'"

test.each<[options: unknown, sentence: string]>([
  [undefined, "options: expected options such as { from: ['10.0.0.0/8'] }, got undefined"],
  [{}, 'options.from: is required'],
  [
    { from: '10.0.0.0/8' },
    "options.from: expected a list of addresses such as ['10.0.0.0/8'], got '10.0.0.0/8'",
  ],
  [{ from: [] }, 'options.from: expected the addresses of at least one proxy, got an empty list'],
  [
    { from: ['unix', '10.0.0.0/64'] },
    `options.from[1]: expected ${address}, got '10.0.0.0/64'; behind the slash stands a number of bits from 0 to 32`,
  ],
  [{ from: [7] }, `options.from[0]: expected ${address}, got 7`],
  [{ from: ['unix'], required: 1 }, 'options.required: expected true or false, got 1'],
  [{ from: ['unix'], listeners: [] }, 'options.listeners: expected at least one listener, got an empty list'],
  [
    { from: ['unix'], listeners: [0] },
    'options.listeners[0]: expected a port such as 8443, or the path of a Unix socket, got 0',
  ],
  [{ form: [] }, "options.form: unknown option; did you mean 'from'?"],
])('%j is refused', async (options, sentence) => {
  const plugin = (proxyProtocol as unknown as (options: unknown) => PluginEntry)(options)
  const message = await createServer({ plugins: [plugin] }).then(
    () => 'no error',
    error => [error, ...error.also].map(each => each.message).join('\n'),
  )
  expect(message).toContain(`config: plugins[0] (proxy-protocol): ${sentence}`)
})
