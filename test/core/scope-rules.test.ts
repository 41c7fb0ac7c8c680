import { HttpResponse, type ScopeOptions, scope } from 'rawhttp'
import { headers } from 'rawhttp/plugins/headers'
import { redirects } from 'rawhttp/plugins/redirects'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { describe, expect, test } from 'vitest'
import { serve } from '../support/in-memory.ts'
import { answering } from '../support/server.ts'

/** What a request gets from the three plugins of rules, all in one scope. */
async function asked(to: ScopeOptions, url: string, { method = 'GET', host = 'a.example' } = {}) {
  const plugins = [
    scope(to, [
      redirects({ rules: { '/in/old': '/in/new', '/old': '/new' } }),
      rewrites({ '/in/a': '/in/b', '/a': '/b' }),
      headers({ set: { 'x-in': 'yes' } }),
    ]),
    answering(({ path }) => HttpResponse.text(path)),
  ]
  const { ask } = await serve({ sites: [{ name: 's', plugins }] })
  const answer = await ask({ url, method, headers: { host } })
  return [answer.headers.get('location') ?? answer.text(), answer.headers.get('x-in') ?? 'no']
}

describe('redirects, rewrites and headers in a scope', () => {
  test('by path are for what is in it alone', async () => {
    const to = { path: '/in/*' }
    expect(await asked(to, '/in/old')).toEqual(['/in/new', 'yes'])
    expect(await asked(to, '/in/a')).toEqual(['/in/b', 'yes'])
    expect(await asked(to, '/in')).toEqual(['/in', 'yes'])
    expect(await asked(to, '/old')).toEqual(['/old', 'no'])
    expect(await asked(to, '/a')).toEqual(['/a', 'no'])
    expect(await asked(to, '/in/../a')).toEqual(['/a', 'no'])
  })

  test('by method', async () => {
    const to = { methods: ['GET', 'PUT'] }
    expect(await asked(to, '/old')).toEqual(['/new', 'yes'])
    expect(await asked(to, '/a', { method: 'PUT' })).toEqual(['/b', 'yes'])
    expect(await asked(to, '/old', { method: 'POST' })).toEqual(['/old', 'no'])
    expect(await asked(to, '/a', { method: 'POST' })).toEqual(['/a', 'no'])
  })

  test('by host', async () => {
    const to = { hosts: ['*.example'] }
    expect(await asked(to, '/old')).toEqual(['/new', 'yes'])
    expect(await asked(to, '/a', { host: 'B.Example:80' })).toEqual(['/b', 'yes'])
    expect(await asked(to, '/old', { host: 'example' })).toEqual(['/old', 'no'])
    expect(await asked(to, '/a', { host: 'a.example.com' })).toEqual(['/a', 'no'])
  })

  test('by all three', async () => {
    const to = { path: ['/a', '/b', '/old'], methods: ['GET'], hosts: ['a.example'] }
    expect(await asked(to, '/old')).toEqual(['/new', 'yes'])
    expect(await asked(to, '/a')).toEqual(['/b', 'yes'])
    expect(await asked(to, '/a', { host: 'b.example' })).toEqual(['/a', 'no'])
    expect(await asked(to, '/old', { method: 'POST' })).toEqual(['/old', 'no'])
    expect(await asked(to, '/in/old')).toEqual(['/in/old', 'no'])
  })

  test('whose path a rewrite leaves are asked about the path that it made', async () => {
    expect(await asked({ path: '/a' }, '/a')).toEqual(['/b', 'no'])
    expect(await asked({ path: '/b' }, '/a')).toEqual(['/a', 'no'])
  })

  test('may stand in several scopes, each for its own', async () => {
    const plugins = [
      scope({ path: '/x/*' }, [rewrites({ '/x/*': '/1/*' }), headers({ set: { 'x-in': 'x' } })]),
      scope({ path: '/y/*' }, [rewrites({ '/y/*': '/2/*' }), headers({ set: { 'x-in': 'y' } })]),
      headers({ default: { 'x-in': 'all' } }),
      answering(({ path }) => HttpResponse.text(path)),
    ]
    const { ask } = await serve({ sites: [{ name: 's', plugins }] })
    const seen = async (url: string) => {
      const answer = await ask(url)
      return [answer.text(), answer.headers.get('x-in')]
    }
    expect(await seen('/x/a')).toEqual(['/1/a', 'all'])
    expect(await seen('/y/a')).toEqual(['/2/a', 'all'])
    expect(await seen('/1/a')).toEqual(['/1/a', 'all'])
  })
})
