import {
  createServer,
  definePlugin,
  Handle,
  type HttpRequest,
  HttpResponse,
  type Plugins,
  scope,
  sharedTaps,
} from 'rawhttp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serve } from '../support/in-memory.ts'

type Tap = (request: HttpRequest) => HttpResponse | undefined

/** Answers `/<text>` with its site and text. */
const tapFor = sharedTaps<string, Tap>(
  'echo',
  own => request =>
    request.path === `/${own(request)}`
      ? HttpResponse.text(`${request.site.name} ${own(request)}`)
      : undefined,
)

const echo = definePlugin({
  name: 'echo',
  repeatable: true,
  options: (text: string) => text,
  site: (site, text) => site.hooks.handle.tap({ name: 'echo', stage: Handle.Route }, tapFor(site, text)),
})

const site = (name: string, ...plugins: Plugins) => ({ name, hosts: [name], plugins })

describe('shared taps', () => {
  test('know what each instance has on the site that answers', async () => {
    const { ask } = await serve({
      plugins: [echo('all')],
      sites: [site('a', echo('one'), echo('two')), site('b', echo('two')), site('c')],
    })
    const answers = async (host: string) => {
      const texts: string[] = []
      for (const path of ['/all', '/one', '/two']) {
        const answer = await ask({ url: path, headers: { host } })
        if (answer.status === 200) texts.push(answer.text())
      }
      return texts
    }
    expect(await answers('a')).toEqual(['a one', 'a two'])
    expect(await answers('b')).toEqual(['b two'])
    expect(await answers('c')).toEqual(['c all'])
  })

  test('are one hook on sites that one function makes, each with an instance of its own', async () => {
    const make = (name: string) => site(name, echo('x'), name === 'c' ? null : echo(name))
    const { server } = await serve({ sites: ['a', 'b', 'c'].map(make) })
    const [a, b, c] = server.generation.sites.map(({ fired }) => fired.handle)
    expect([a === b, a === c]).toEqual([true, false])
  })

  test('give sites that run the same on all hooks one table of them', async () => {
    const make = (name: string) => site(name, echo('x'), name === 'c' ? null : echo(name))
    const server = await createServer({ sites: ['a', 'b', 'c'].map(make) })
    onTestFinished(() => server.stop())
    const [a, b, c] = server.generation.sites.map(({ fired }) => fired)
    expect([a === b, a === c]).toEqual([true, false])
  })

  test('of instances that were written apart say where each stands', async () => {
    const one = site('a', echo('x'))
    const other = site('b', echo('x'))
    const { server } = await serve({ sites: [one, other] })
    const lines = server.generation
      .taps()
      .flatMap(tap => (tap.plugin === 'echo' ? [tap.pluginPlace?.line] : []))
    expect(lines[1]! - lines[0]!).toBe(1)
  })

  test('are taps of their own in a scope', async () => {
    const { ask } = await serve({
      sites: [site('a', echo('x')), site('b', scope({ methods: ['GET'] }, [echo('x')]))],
    })
    const answered = async (host: string, method: string) =>
      (await ask({ method, url: '/x', headers: { host } })).status
    expect([await answered('a', 'POST'), await answered('b', 'POST'), await answered('b', 'GET')]).toEqual([
      200, 404, 200,
    ])
  })
})
