import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redirecting } from './serve.ts'

/** What somebody sends who wants to be led to another host. */
const target = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '/\\',
        '%5C',
        '%2F%2F',
        '.',
        '..',
        '%2e%2e',
        '@',
        ':',
        'evil.example',
        'https:',
        '?',
        '%0d%0a',
      ),
      fc.constantFrom('a', 'old', '-', 'docs', ';', '%', '%25', '%C3%A9', '%FF', '&', '=', '"', '<'),
    ),
    { maxLength: 10 },
  )
  .map(parts => `/${parts.join('')}`)

test('wherever a client is sent, it is to an origin that the config names', async () => {
  const rules = {
    '/old/*': '/*',
    '/old*': '/a/*',
    '/docs/*': 'https://docs.example.com/*',
    '/docs*': 'https://docs.example.com/*',
    '/:a-:b': '/:b/:a?a=:a',
    '/:a/:b(.+)/': '/:b',
  } as const
  const options = { rules, www: 'add', trailingSlash: 'remove' } as const
  const { ask } = await redirecting(options, ['own.example', 'www.own.example'])
  const origins = ['http://own.example', 'http://www.own.example', 'https://docs.example.com']
  await fc.assert(
    fc.asyncProperty(target, fc.constantFrom('own.example', 'www.own.example'), async (path, host) => {
      const { headers, status } = await ask(`GET ${path}`, { headers: { host } })
      const location = headers.get('location')
      if (location === undefined) {
        expect([200, 400]).toContain(status)
        return
      }
      expect(location).toMatch(/^[\x21-\x7e]+$/)
      expect(location).toMatch(/^(?:\/(?![/\\])|https?:\/\/)/)
      expect(origins).toContain(new URL(location, `http://${host}`).origin)
    }),
    { numRuns: 1_500 },
  )
})
