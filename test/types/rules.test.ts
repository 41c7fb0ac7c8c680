import { headers } from 'rawhttp/plugins/headers'
import { type RedirectRules, redirects } from 'rawhttp/plugins/redirects'
import { rewrites } from 'rawhttp/plugins/rewrites'
import { test } from 'vitest'

// Nothing here is served: what counts is that tsc takes it, and refuses what is marked.
test('rules are taken by path and as a list', () => {
  const rules: RedirectRules = { '/a': '/b', '/c': { to: '/d', status: 302 }, '/e': { status: 410 } }
  redirects({ rules, www: 'add' })
  redirects({ rules: [{ from: '/a', to: '/b', hosts: ['a.example'] }] })
  rewrites({ '/a': '/b', '/c': { to: '/d', methods: ['GET'] } })
  rewrites([{ from: '/a', to: '/b' }])
  headers({ status: '2xx', set: { a: 'b' }, append: { c: ['d', 'e'] } })
  headers([
    { path: '/a/*', remove: ['a'] },
    { status: [404, 'error'], default: { a: 'b' } },
  ])
})

test('what they do not know is refused', () => {
  // @ts-expect-error a path begins with a slash
  redirects({ rules: { a: '/b' } })
  // @ts-expect-error no such status
  redirects({ rules: [{ from: '/a', to: '/b', status: 300 }] })
  // @ts-expect-error the rules are missing
  redirects()
  // @ts-expect-error a rewrite leads somewhere
  rewrites([{ from: '/a' }])
  // @ts-expect-error no such option
  headers({ sets: { a: 'b' } })
  // @ts-expect-error no such hundred
  headers({ status: '9xx', set: { a: 'b' } })
})
