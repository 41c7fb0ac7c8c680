import { HttpRequest, type PluginSite } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { MemorySink } from '../../../core/inject.ts'
import { onSite } from '../../support/in-memory.ts'
import { serveTraced } from './serve-traced.ts'

describe('the site', () => {
  const config = (...sites: [string, string[]][]) => ({
    sites: sites.map(([name, hosts]) => ({ name, hosts })),
  })

  test.each([
    ['a.example', { name: 'one', host: 'a.example', why: 'exact' }],
    ['x.b.example', { name: 'one', host: '*.b.example', why: 'wildcard' }],
    ['x.y.b.example', { name: 'two', host: '*.y.b.example', why: 'wildcard' }],
    ['x.z.b.example', { name: 'one', host: '*.z.b.example', why: 'wildcard' }],
    ['other', { name: 'two', host: '*', why: 'default' }],
  ])('%s', async (host, site) => {
    const { trace } = await serveTraced(
      config(['one', ['a.example', '*.b.example', '*.z.b.example']], ['two', ['*.y.b.example', '*']]),
    )
    expect((await trace({ headers: { host } })).site).toEqual(site)
  })

  test('is none for a host that nobody takes, and for a refused message', async () => {
    const { trace } = await serveTraced([])
    expect((await trace('/%00')).site).toEqual({ name: '-', host: null, why: 'refused' })
    const named = await serveTraced(config(['one', ['a.example']]))
    expect((await named.trace()).site).toEqual({ name: '-', host: null, why: 'unknown-host' })
  })

  test('is the one that a plugin has sent the request to', async () => {
    let one: PluginSite | undefined
    const sends = onSite('sends', site => {
      if (site.name === 'one') one = site
      site.server.hooks.start.tap('sends', () => undefined)
    })
    const { trace, traces } = await serveTraced({
      plugins: [sends],
      ...config(['one', ['a.example']], ['two', ['b.example']]),
    })
    await trace({ headers: { host: 'b.example' } })
    const sink = new MemorySink()
    one!.dispatch(new HttpRequest({ method: 'GET', target: '/', headers: { host: 'b.example' } }), sink)
    await sink.response
    expect(traces.map(({ site }) => [site.name, site.why])).toEqual([
      ['two', 'exact'],
      ['one', 'given'],
    ])
  })
})
