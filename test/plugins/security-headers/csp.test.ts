import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileCsp } from '../../../plugins/security-headers/csp.ts'
import { permissionsText } from '../../../plugins/security-headers/permissions.ts'

const known = ['default-src', 'img-src', 'script-src', 'frame-ancestors', 'report-uri']
const source = fc.oneof(
  fc.constantFrom("'self'", "'none'", 'https:', '*.a.example', "'nonce'", 'data:', "'sha256-YWJj='"),
  fc.string(),
)

/** A browser's reading (CSP Level 3 section 2.2.1), of a field that may hold several policies. */
function read(text: string): Record<string, string[]> {
  expect(text).not.toContain(',')
  const parts = text.split(';').map(part => part.trim().split(/[\t\n\f\r ]+/))
  return Object.fromEntries(parts.map(([name, ...rest]) => [name, rest]))
}

test('what is written is what a browser reads, or an error', () => {
  const policy = fc.dictionary(fc.constantFrom(...known), fc.array(source), {
    minKeys: 1,
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(policy, written => {
      let text: string
      try {
        text = compileCsp(written).join("'nonce'")
      } catch (error) {
        expect((error as Error).message).toMatch(/^[a-z-]+: /)
        return
      }
      expect(text).toMatch(/^[\x20-\x7e]+$/)
      expect(read(text)).toEqual(written)
    }),
  )
})

test('a policy as text and as an object are the same', () => {
  const text = "default-src 'self' https:; img-src *; upgrade-insecure-requests"
  const object = {
    'default-src': ["'self'", 'https:'],
    'img-src': '*',
    'upgrade-insecure-requests': true,
  } as const
  expect(compileCsp(text)).toEqual([text])
  expect(compileCsp(object)).toEqual([text])
  expect(compileCsp(` Default-Src  'self'\thttps: ;; img-src *;upgrade-insecure-requests; `)).toEqual([text])
})

test.each([
  "script-src 'strict-dynamic' 'unsafe-hashes' 'wasm-unsafe-eval' 'report-sample' 'inline-speculation-rules'",
  "require-trusted-types-for 'script'; trusted-types default script 'allow-duplicates'",
  'report-to none; report-uri /csp https://a.example/csp?x=y',
  'sandbox allow-scripts allow-forms',
  "script-src 'sha256-YWJj' 'sha512-YWJj=='; img-src blob: https://a.example:*/pictures/",
])('%s is a policy', text => {
  expect(compileCsp(text)).toEqual([text])
})

test('features have lists of structured fields', () => {
  expect(
    permissionsText({
      camera: [],
      fullscreen: '*',
      geolocation: ['self', 'https://a.example', 'https://*.b.example:8443'],
      'picture-in-picture': ['src'],
    }),
  ).toBe(
    'camera=(), fullscreen=*, geolocation=(self "https://a.example" "https://*.b.example:8443"), picture-in-picture=(src)',
  )
})

test('no text in a list of a feature gets out of its quotes', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map(text => `https://a.example${text}`),
        fc.constantFrom('https://a.example"', 'https://a"b', 'https://a b', 'https://a\\b'),
      ),
      text => {
        let value: string
        try {
          value = permissionsText({ camera: [text] })
        } catch {
          return
        }
        expect(value).toMatch(/^camera=\((?:self|src|"[a-z]+:\/\/[^"\\\s]+")\)$/)
      },
    ),
  )
})
