import type { PluginNames } from './names.ts'

/** The plugin. */
export const pluginSource = ({ plugin, factory, options }: PluginNames): string =>
  `import { definePlugin, Handle, HttpResponse } from 'rawhttp'
import { settingsOf } from './options.ts'

export type { ${options} } from './options.ts'

/**
 * Answers one path with a text.
 *
 * @example
 * plugins: [${factory}({ path: '/${plugin}', text: 'Hello.\\n' })]
 */
export const ${factory} = definePlugin({
  name: '${plugin}',
  options: settingsOf,
  // Runs once for every site when a config is loaded, by \`rawhttp check\` too. It taps hooks and opens nothing: what
  // has to be opened belongs to site.server.hooks.start, and is closed in stop.
  site(site, { path, text }) {
    // Requests go by stages: guards, cache, routes, files. The first answer wins, and undefined passes a request on.
    site.hooks.handle.tap({ name: '${plugin}', stage: Handle.Route }, request => {
      if (request.path !== path) return undefined
      if (request.method === 'GET' || request.method === 'HEAD') return HttpResponse.text(text)
      // The kernel makes 405 and the answer to OPTIONS of what all plugins allow.
      request.allow('GET')
      return undefined
    })
  },
})
`

/** Its options, read by a plain function; any Standard Schema would do as well. */
export const optionsSource = ({ plugin, options }: PluginNames): string =>
  `import { ConfigError, didYouMean, isCanonicalPath } from 'rawhttp'

/** What stands in a config. */
export interface ${options} {
  /** The path that is answered. Default: \`'/${plugin}'\`. */
  readonly path?: string | undefined
  /** What it is answered with. Default: \`'Hello from ${plugin}.\\n'\`. */
  readonly text?: string | undefined
}

const defaults = { path: '/${plugin}', text: 'Hello from ${plugin}.\\n' }

/**
 * Makes settings of options when a config is loaded. Not every config is in TypeScript, so it believes no type. What it
 * throws is told with the config's file and the plugin's name in front.
 *
 * @throws ConfigError for the first option that is wrong.
 */
export function settingsOf(options: ${options} = {}): typeof defaults {
  const { path = defaults.path, text = defaults.text, ...others } = options
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, Object.keys(defaults)) ?? undefined
    throw new ConfigError({ path: unknown, problem: 'unknown option', hint })
  }
  if (!isCanonicalPath(path)) throw wrong('path', 'a path such as /${plugin}', path)
  if (typeof text !== 'string') throw wrong('text', 'a text', text)
  return { path, text }
}

function wrong(path: string, expected: string, value: unknown): ConfigError {
  return new ConfigError({ path, expected, received: JSON.stringify(value) ?? typeof value })
}
`

/** Its test. */
export const pluginTest = ({ plugin, factory, options }: PluginNames): string =>
  `import { contract, testServer } from 'rawhttp/testing'
import { describe, expect, test } from 'vitest'
import { type ${options}, ${factory} } from '../src/index.ts'

// What users rely on with every plugin: nothing is left of it after a stop or a reload, nothing that a client sends
// breaks it, and more. \`requests\` are those that make it work. It stands first, since the plugin's
// first start is a part of it.
describe('keeps the contract of plugins:', () => {
  const requests = ['/${plugin}', { method: 'POST', url: '/${plugin}' }]
  for (const { name, run } of contract(${factory}, { requests, other: ${factory}({ text: 'Hi.\\n' }) })) {
    test(name, run)
  }
})

test('answers its path', async () => {
  await using server = await testServer([${factory}()])
  const answer = await server.inject('/${plugin}')
  expect(answer.status).toBe(200)
  expect(answer.text()).toBe('Hello from ${plugin}.\\n')
})

test('answers with what the options say', async () => {
  await using server = await testServer([${factory}({ path: '/elsewhere', text: 'Hi.\\n' })])
  expect((await server.inject('/elsewhere')).text()).toBe('Hi.\\n')
})

test('passes other paths on', async () => {
  await using server = await testServer([${factory}()])
  expect((await server.inject('/other')).status).toBe(404)
})

test('says which methods its path has', async () => {
  await using server = await testServer([${factory}()])
  const answer = await server.inject({ method: 'POST', url: '/${plugin}' })
  expect(answer.status).toBe(405)
  expect(answer.headers.get('allow')).toContain('GET')
})

test.each([
  [{ paht: '/' }, "options.paht: unknown option; did you mean 'path'?"],
  [{ path: 'here' }, 'options.path: expected a path such as /${plugin}, got "here"'],
  [{ text: 1 }, 'options.text: expected a text, got 1'],
])('refuses the options %j', async (options, sentence) => {
  await expect(testServer([${factory}(options as ${options})])).rejects.toThrow(sentence)
})
`
