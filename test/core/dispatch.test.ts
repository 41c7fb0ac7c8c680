import { Handle, HttpRequest, HttpResponse, type PluginSite, type Sink } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { MemorySink } from '../../core/inject.ts'
import { onSite, serve } from '../support/in-memory.ts'

describe('site.dispatch', () => {
  async function dispatching() {
    const sites: Record<string, PluginSite> = {}
    const paths: string[] = []
    const look = onSite('look', site => {
      sites[site.name] = site
      site.hooks.handle.tap({ name: 'look', stage: Handle.Guard }, ({ path }) => void paths.push(path))
      site.hooks.handle.tap({ name: 'answer', stage: Handle.Route }, () => HttpResponse.text(site.name))
    })
    const memory = await serve({
      plugins: [look],
      sites: [{ name: 'a' }, { name: 'b', hosts: ['b.test'] }],
    })
    await memory.ask()
    const dispatch = async (site: string, target: string, headers = {}) => {
      const sink = new MemorySink()
      sites[site]!.dispatch(new HttpRequest({ method: 'GET', target, headers }), sink)
      return await sink.response
    }
    return { ...memory, paths, dispatch }
  }

  test('sends a request down the line of its site, guards and done included, whatever its host', async () => {
    const { dispatch, paths, done } = await dispatching()
    expect((await dispatch('b', '/x/../y', { host: 'a.test' })).text()).toBe('b')
    expect(paths).toEqual(['/', '/y'])
    expect(done.map(({ outcome }) => outcome.result)).toEqual(['sent', 'sent'])
  })

  test('refuses a target that has no path, as any other', async () => {
    const { dispatch, done } = await dispatching()
    expect((await dispatch('a', '/%zz')).status).toBe(400)
    expect([done[1]!.outcome.result, done[1]!.request.site.name]).toEqual(['refused', '-'])
  })

  test('lets a sink that wants no body end the exchange with the head', async () => {
    let isEnded = false
    async function* body() {
      try {
        for (;;) yield 'x'
      } finally {
        isEnded = true
      }
    }
    const sites: PluginSite[] = []
    const site = onSite('endless', site => {
      sites.push(site)
      site.hooks.handle.tap({ name: 'endless', stage: Handle.Route }, () => HttpResponse.stream(body()))
    })
    const { ask, done } = await serve([site])
    await ask({ url: '/%zz' })
    const sink: Sink = {
      onDrain: null,
      onClose: null,
      bytes: 0,
      inform: () => undefined,
      head: () => sink.onClose?.(null),
      write: () => true,
      end: () => undefined,
      reset: () => undefined,
    }
    sites[0]!.dispatch(new HttpRequest({ method: 'GET', target: '/' }), sink)
    while (!isEnded) await new Promise(resolve => setImmediate(resolve))
    expect(done.map(({ outcome }) => outcome.result)).toEqual(['refused', 'sent'])
  })
})
