import { join } from 'node:path'
import { definePlugin, Handle, HttpResponse, type Server } from 'rawhttp'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from '../../../core/cli/args.ts'
import { prepare } from '../../../core/cli/prepare.ts'
import { Reloader } from '../../../core/cli/reloader.ts'
import { settle } from '../../../core/cli/settings.ts'
import type { FreshModules, ModuleLoad } from '../../../core/config/fresh-modules.ts'
import { buildServer } from '../../../core/server.ts'
import { workspace } from '../config/workspace.ts'

/** What a load of a module gives: here a plugin made in the test. */
type Loads = (number: number) => unknown

/** A reloader whose config names one module, which the test gives. */
async function reloading(loads: Loads, limit?: number) {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => void vi.restoreAllMocks())
  const cwd = workspace({
    'plugin.mjs': '',
    'rawhttp.config.json': '{"listen":[{"port":0}],"plugins":["./plugin.mjs"]}',
  })
  const ended: boolean[] = []
  let number = -1
  const begin = (): ModuleLoad => {
    number++
    let hasEnded = false
    return {
      isFresh: true,
      stuck: [],
      import: async () => ({ default: await loads(number) }),
      parent: url => url,
      noteFile: () => undefined,
      end(isGood) {
        if (!hasEnded) ended.push(isGood)
        hasEnded = true
      },
    }
  }
  const modules = {
    begin,
    get reloads() {
      return number
    },
  } as FreshModules
  const args = parse(['start'])
  const settings = settle(args, {})
  const { config } = await prepare(settings, cwd, { importer: begin() })
  const server: Server = await buildServer(config)
  await server.listen()
  onTestFinished(() => server.stop({ deadline: 0 }))
  const reloader = new Reloader({ server, modules, settings, args, cwd }, limit)
  return { reloader, server, ended, file: join(cwd, 'rawhttp.config.json') }
}

const never = new Promise<never>(() => undefined)

/** A plugin that answers with a word. */
const saying = (word: string, start = async (): Promise<void> => undefined, log: string[] = []) =>
  definePlugin({
    name: 'saying',
    server({ hooks }) {
      hooks.start.tapPromise('begin', start)
      hooks.stop.tapPromise('stop', async (_server, reason) => void log.push(`${word} stops: ${reason}`))
    },
    site: site => site.hooks.handle.tap({ name: 'say', stage: Handle.Route }, () => HttpResponse.text(word)),
  })

describe('a reload that never ends', () => {
  it('in an import is given up, and the next one works', async () => {
    const plugins = [saying('one'), never, saying('three')]
    const { reloader, server, ended } = await reloading(number => plugins[number], 50)
    const { code, text } = await reloader.reload()
    expect([code, text]).toEqual([
      1,
      expect.stringContaining('plugins[0] (./plugin.mjs): its import did not end within 0.05 s\n'),
    ])
    expect((await server.inject()).text()).toBe('one')
    expect(await reloader.reload()).toMatchObject({ code: 0 })
    expect((await server.inject()).text()).toBe('three')
    expect(ended).toEqual([false, true])
  })

  it('in a start tap is named, and when it ends after all, it is stopped', async () => {
    const log: string[] = []
    const late = Promise.withResolvers<void>()
    const plugins = [saying('one'), saying('two', () => late.promise, log), saying('three')]
    const { reloader, server } = await reloading(number => plugins[number], 50)
    expect((await reloader.reload()).text).toContain(
      'plugin "saying", start tap "begin" did not end within 0.05 s',
    )
    expect(await reloader.reload()).toMatchObject({ code: 0 })
    late.resolve()
    await vi.waitFor(() => expect(log).toEqual(['two stops: failed']))
    expect((await server.inject()).text()).toBe('three')
  })
})

it('says after a hundred reloads that Node never frees a module, and not before', async () => {
  const { reloader } = await reloading(() => saying('one'))
  const texts: string[] = []
  for (let i = 0; i < 101; i++) texts.push((await reloader.reload()).text)
  expect(texts.flatMap((text, index) => (text.includes('never frees') ? [index + 1] : []))).toEqual([100])
})

it('a reload that a server is stopped under fails, and its generation is stopped too', async () => {
  const log: string[] = []
  const late = Promise.withResolvers<void>()
  const starts = Promise.withResolvers<void>()
  const start = () => {
    starts.resolve()
    return late.promise
  }
  const plugins = [saying('one'), saying('two', start, log)]
  const { reloader, server } = await reloading(number => plugins[number])
  const reloaded = reloader.reload()
  await starts.promise
  const stopped = server.stop()
  late.resolve()
  expect(await reloaded).toEqual({ code: 1, text: expect.stringContaining('the server was stopped') })
  await stopped
  expect(log).toEqual(['two stops: failed'])
  expect(await reloader.reload()).toEqual({
    code: 1,
    text: 'rawhttp: not reloaded: the server is stopping\n',
  })
})
