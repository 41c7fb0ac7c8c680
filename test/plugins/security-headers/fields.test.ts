import { createServer, HttpResponse } from 'rawhttp'
import { cache } from 'rawhttp/plugins/cache'
import { CspNonce, type SecurityHeadersOptions, securityHeaders } from 'rawhttp/plugins/security-headers'
import { describe, expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { RawClient } from '../../support/raw-client.ts'
import { answering, startServer } from '../../support/server.ts'

const hello = answering(() => HttpResponse.text('hello'))

const defaults = {
  'content-security-policy': "base-uri 'self'; frame-ancestors 'self'; object-src 'self'",
  'cross-origin-opener-policy': 'same-origin-allow-popups',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
}

const all: Required<SecurityHeadersOptions> = {
  contentSecurityPolicy: false,
  contentSecurityPolicyReportOnly: false,
  contentTypeOptions: false,
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  frameOptions: false,
  originAgentCluster: false,
  permissionsPolicy: false,
  referrerPolicy: false,
}

/** The fields of the plugin in an answer to `/`. */
async function fieldsWith(options?: SecurityHeadersOptions): Promise<Record<string, string>> {
  const { ask } = await serve([hello, securityHeaders(options)])
  const {
    'content-type': _,
    'accept-ranges': _ranges,
    'content-length': _length,
    date: _date,
    ...fields
  } = (await ask()).headers.toObject()
  return fields
}

describe('security-headers', () => {
  test('sets what breaks hardly a site', async () => {
    expect(await fieldsWith()).toEqual(defaults)
    expect(await fieldsWith({})).toEqual(defaults)
  })

  test('leaves out each field that is switched off, and only that', async () => {
    expect(await fieldsWith(all)).toEqual({})
    for (const [option, field] of [
      ['contentSecurityPolicy', 'content-security-policy'],
      ['contentTypeOptions', 'x-content-type-options'],
      ['crossOriginOpenerPolicy', 'cross-origin-opener-policy'],
      ['crossOriginResourcePolicy', 'cross-origin-resource-policy'],
      ['frameOptions', 'x-frame-options'],
      ['originAgentCluster', 'origin-agent-cluster'],
      ['permissionsPolicy', 'permissions-policy'],
      ['referrerPolicy', 'referrer-policy'],
    ] as const) {
      const { [field]: _, ...others } = defaults
      expect(await fieldsWith({ [option]: false })).toEqual(others)
    }
  })

  test('sets what the options say', async () => {
    expect(
      await fieldsWith({
        ...all,
        contentSecurityPolicy: { 'default-src': ["'self'", 'https:'], sandbox: true },
        contentSecurityPolicyReportOnly: "default-src 'none'; report-to csp",
        crossOriginEmbedderPolicy: 'require-corp',
        crossOriginOpenerPolicy: 'same-origin',
        crossOriginResourcePolicy: 'cross-origin',
        frameOptions: 'DENY',
        permissionsPolicy: { camera: [], geolocation: ['self', 'https://a.example'], fullscreen: '*' },
        referrerPolicy: ['no-referrer', 'strict-origin'],
      }),
    ).toEqual({
      'content-security-policy': "default-src 'self' https:; sandbox",
      'content-security-policy-report-only': "default-src 'none'; report-to csp",
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'cross-origin',
      'permissions-policy': 'camera=(), geolocation=(self "https://a.example"), fullscreen=*',
      'referrer-policy': 'no-referrer, strict-origin',
      'x-frame-options': 'DENY',
    })
  })

  test.each([
    [{ 'default-src': "'self'" }, 'SAMEORIGIN'],
    [{ 'frame-ancestors': "'self'" }, 'SAMEORIGIN'],
    ["frame-ancestors 'none'", 'DENY'],
    [{ 'frame-ancestors': ["'self'", 'https://a.example'] }, undefined],
    ['frame-ancestors https://a.example', undefined],
  ])(
    'lets the policy %j say who may frame, and X-Frame-Options agree',
    async (contentSecurityPolicy, field) => {
      expect((await fieldsWith({ contentSecurityPolicy }))['x-frame-options']).toBe(field)
    },
  )

  test('leaves what a handler has set as it is', async () => {
    const own = answering(() =>
      HttpResponse.text('x', {
        headers: { 'X-Frame-Options': 'DENY', 'content-security-policy': "default-src 'none'" },
      }),
    )
    const { ask } = await serve([securityHeaders(), own])
    expect((await ask()).headers.toObject()).toMatchObject({
      ...defaults,
      'x-frame-options': 'DENY',
      'content-security-policy': "default-src 'none'",
    })
  })

  test('is on errors, 304 and refused messages, and never twice', async () => {
    const tagged = answering(({ path }) => {
      if (path === '/fail') throw new Error('on purpose')
      return path === '/' ? HttpResponse.text('x', { headers: { etag: '"1"' } }) : undefined
    })
    await using server = await startServer({ plugins: [securityHeaders(), tagged] })
    for (const [target, fields, status] of [
      ['/', '', 200],
      ['/', 'If-None-Match: "1"\r\n', 304],
      ['/fail', '', 500],
      ['/none', '', 404],
      ['/', 'Host: b\r\n', 400],
    ] as const) {
      await using client = await RawClient.connect(server.port)
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
      const answer = await client.response()
      expect(answer.status).toBe(status)
      for (const [name, value] of Object.entries(defaults))
        expect([name, answer.field(name)]).toEqual([name, value])
    }
  })
})

describe('the nonce', () => {
  const policy = { 'script-src': ["'self'", "'nonce'"], 'style-src': "'nonce'", 'object-src': "'none'" }
  const page = answering(request => HttpResponse.html(`<script nonce="${request.get(CspNonce)}">1</script>`))
  const nonceOf = (text: string) => /nonce="([^"]+)"/.exec(text)?.[1]

  test('is the same in the page and in its policies, and another for each answer', async () => {
    const { ask } = await serve([
      securityHeaders({
        contentSecurityPolicy: policy,
        contentSecurityPolicyReportOnly: "script-src 'nonce'",
      }),
      page,
    ])
    const seen = new Set<string>()
    for (let turn = 0; turn < 20; turn++) {
      const answer = await ask()
      const nonce = nonceOf(answer.text())!
      expect(Buffer.from(nonce, 'base64').length).toBe(16)
      expect(answer.headers.get('content-security-policy')).toBe(
        `script-src 'self' 'nonce-${nonce}'; style-src 'nonce-${nonce}'; object-src 'none'`,
      )
      expect(answer.headers.get('content-security-policy-report-only')).toBe(`script-src 'nonce-${nonce}'`)
      seen.add(nonce)
    }
    expect(seen.size).toBe(20)
  })

  test("of a stored page is not the policy's: an old nonce opens nothing", async () => {
    const stored = answering(request =>
      HttpResponse.html(`<script nonce="${request.get(CspNonce)}">1</script>`, {
        headers: { 'cache-control': 'max-age=60' },
      }),
    )
    const { ask } = await serve([cache(), securityHeaders({ contentSecurityPolicy: policy }), stored])
    const first = await ask()
    const second = await ask()
    expect(second.text()).toBe(first.text())
    expect(second.headers.get('content-security-policy')).not.toContain(nonceOf(second.text()))
  })

  test('is not in a 304: the page at the client has that of its own answer', async () => {
    const tagged = answering(() => HttpResponse.html('x', { headers: { etag: '"1"' } }))
    const { ask } = await serve([securityHeaders({ contentSecurityPolicy: policy }), tagged])
    const answer = await ask({ headers: { 'if-none-match': '"1"' } })
    expect([answer.status, answer.headers.has('content-security-policy')]).toEqual([304, false])
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('of a handler that sets a policy itself is its own matter', async () => {
    const own = answering(() => HttpResponse.html('x', { headers: { 'content-security-policy': 'sandbox' } }))
    const { ask } = await serve([securityHeaders({ contentSecurityPolicy: policy }), own])
    expect((await ask()).headers.getAll('content-security-policy')).toEqual(['sandbox'])
  })
})

const csp = (contentSecurityPolicy: unknown) => ({ contentSecurityPolicy })
test.each<[string, unknown, string]>([
  ['an unknown option', { frameOption: false }, ".frameOption: unknown option; did you mean 'frameOptions'?"],
  ['HSTS, which is of tls', { strictTransportSecurity: true }, '.strictTransportSecurity: unknown option'],
  ['an empty policy', csp({}), '.contentSecurityPolicy: expected at least one directive, got none'],
  ['an empty text', csp(' ; '), '.contentSecurityPolicy: expected at least one directive, got none'],
  ['true for a policy', csp(true), `expected a policy such as { 'default-src': ["'self'"] }, or false`],
  [
    'a misspelt directive',
    csp({ 'scipt-src': "'self'" }),
    "'scipt-src' is no directive; did you mean 'script-src'?",
  ],
  [
    'a directive in camel case',
    csp({ scriptSrc: "'self'" }),
    "'scriptSrc' is no directive; did you mean 'script-src'?",
  ],
  ['a directive twice', csp("img-src a.example; IMG-SRC 'self'"), 'img-src stands there twice'],
  ['a number', csp({ 'img-src': [3] }), 'img-src: expected sources such as'],
  [
    'a keyword without quotes',
    csp({ 'img-src': ['self'] }),
    `img-src: self is a host without quotes; write "'self'"`,
  ],
  [
    'the same in a text',
    csp('default-src none'),
    `default-src: none is a host without quotes; write "'none'"`,
  ],
  [
    'a hash without quotes',
    csp('script-src sha256-abcd='),
    'script-src: sha256-abcd= is a host without quotes',
  ],
  ['a misspelt keyword', csp("img-src 'slef'"), "img-src: 'slef' is no keyword; did you mean 'self'?"],
  ['half a quote', csp("img-src 'self"), "img-src: 'self is no keyword"],
  ['none and more', csp("img-src 'none' a.example"), "img-src: 'none' stands alone"],
  [
    'a nonce that never changes',
    csp("script-src 'nonce-abc'"),
    "script-src: 'nonce-abc' would be the same for every answer",
  ],
  [
    'a second directive in a source',
    csp({ 'img-src': ['a.example;script-src'] }),
    'img-src: a source is visible ASCII',
  ],
  ['a second policy', csp('img-src a.example, script-src *'), 'img-src: a source is visible ASCII'],
  ['a line break', csp({ 'img-src': ['a\r\nb'] }), 'img-src: a source is visible ASCII'],
  ['a name that is not ASCII', csp({ 'img-src': ['bücher.example'] }), 'img-src: a source is visible ASCII'],
  [
    'a bad report-only policy',
    { contentSecurityPolicyReportOnly: 'x' },
    ".contentSecurityPolicyReportOnly: 'x' is no directive",
  ],
  [
    'a frame that is allowed',
    { frameOptions: 'ALLOW-FROM https://a.example' },
    "expected 'DENY', 'SAMEORIGIN' or false",
  ],
  [
    'a misspelt opener policy',
    { crossOriginOpenerPolicy: 'same-site' },
    ".crossOriginOpenerPolicy: expected 'same-origin'",
  ],
  [
    'a misspelt resource policy',
    { crossOriginResourcePolicy: '*' },
    ".crossOriginResourcePolicy: expected 'same-origin'",
  ],
  [
    'a misspelt embedder policy',
    { crossOriginEmbedderPolicy: true },
    ".crossOriginEmbedderPolicy: expected 'require-corp'",
  ],
  ['a misspelt referrer policy', { referrerPolicy: ['none'] }, ".referrerPolicy: expected 'no-referrer'"],
  ['no referrer policy', { referrerPolicy: [] }, ".referrerPolicy: expected 'no-referrer'"],
  ['a word for a flag', { contentTypeOptions: 'nosniff' }, '.contentTypeOptions: expected true or false'],
  ['no feature', { permissionsPolicy: {} }, '.permissionsPolicy: expected at least one feature, got none'],
  [
    'a feature in capitals',
    { permissionsPolicy: { Camera: [] } },
    "expected the name of a feature such as camera, got 'Camera'",
  ],
  [
    'a feature that is true',
    { permissionsPolicy: { camera: true } },
    "camera: expected a list such as ['self'], or '*'",
  ],
  ['quotes in a list', { permissionsPolicy: { camera: ["'self'"] } }, `camera: write 'self', not "'self'"`],
  ['capitals in a list', { permissionsPolicy: { camera: ['https://A.example'] } }, 'camera: expected'],
  ['a path in a list', { permissionsPolicy: { camera: ['https://a.example/'] } }, "got 'https://a.example/'"],
  ['a quote in a list', { permissionsPolicy: { camera: ['https://a.example"'] } }, 'camera: expected'],
  ['a line break in a text', { permissionsPolicy: 'camera=()\r\nx: y' }, 'expected a field value of ASCII'],
])('%s is refused when the config loads', async (_, options, problem) => {
  const start = createServer({ plugins: [securityHeaders(options as SecurityHeadersOptions)] })
  await expect(start).rejects.toThrow('config: plugins[0] (security-headers): options')
  await expect(start).rejects.toThrow(problem)
})
