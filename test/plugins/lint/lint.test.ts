import { readFileSync } from 'node:fs'
import { createServer, Deliver, HttpResponse, type Plugins, scope } from 'rawhttp'
import { compression } from 'rawhttp/plugins/compression'
import { type LintOptions, lint } from 'rawhttp/plugins/lint'
import { router } from 'rawhttp/plugins/router'
import { describe, expect, test } from 'vitest'
import { rules } from '../../../plugins/lint/rules/index.ts'
import { onSite, serve } from '../../support/in-memory.ts'
import { answering } from '../../support/server.ts'

const PLACE = /^test[\\/]plugins[\\/]lint[\\/]lint\.test\.ts:\d+$/
const placeIn = (message: string) => /\(([^()]*\.ts:\d+)\)/.exec(message)?.[1]

/** A plugin that sets a field on its way out. */
const setting = (name: string, value: string): Plugins[number] =>
  onSite('setting', ({ hooks }) =>
    hooks.deliver.tap(
      { name: 'setting:late', stage: Deliver.Last },
      response => void response.set(name, value),
    ),
  )

const page = answering(() => HttpResponse.html('x'))

describe('a finding', () => {
  test('names rule, section, plugin, tap, config line, site and request', async () => {
    const { ask, reports } = await serve([lint(), page, setting('pragma', 'no-cache')])
    await ask('/a?b')
    const [report, ...more] = reports
    expect(more).toEqual([])
    expect(report).toEqual({
      code: 'LINT_FIELD_OBSOLETE',
      message: expect.stringMatching(
        /^field-obsolete: it never meant .* \(RFC 9111 5\.4\); pragma set by plugin "setting" \(.*\), tap "setting:late" of deliver$/,
      ),
      severity: 'warning',
      plugin: 'lint',
      hook: 'deliver',
      tap: 'setting:late',
      site: 'default',
      request: 'GET /a?b',
    })
    expect(placeIn(report!.message)).toMatch(PLACE)
  })

  test('about the answer as a whole names who gave it', async () => {
    const { ask, reports } = await serve([lint(), router({ 'GET /in/:id': () => HttpResponse.error(401) })])
    await ask('/in/7')
    expect(reports[0]!.message).toMatch(
      /; answered by plugin "router" \(.*lint\.test\.ts:\d+\), tap "router:handler" of handle, route \/in\/:id$/,
    )
  })

  test('names the plugin that changed a line last, not the one that gave the answer', async () => {
    const given = answering(() => HttpResponse.html('x', { headers: { pragma: 'a' } }))
    const { ask, reports } = await serve([lint(), given, setting('pragma', 'b')])
    await ask()
    expect(reports.map(({ tap }) => tap)).toEqual(['setting:late'])
  })

  test('of two lines names who set the one that is at fault', async () => {
    const cookies = onSite('second', ({ hooks }) =>
      hooks.deliver.tap('second', response => void response.append('set-cookie', 'bad=1; HttpOnly')),
    )
    const good = answering(() =>
      HttpResponse.html('x', { headers: { 'set-cookie': 'good=1; HttpOnly; SameSite=Lax' } }),
    )
    const { ask, reports } = await serve([lint(), good, cookies])
    await ask()
    expect(reports.map(({ tap, message }) => [tap, message.slice(0, 34)])).toEqual([
      ['second', 'cookie-same-site: cookie "bad" has'],
    ])
  })

  test('blames nobody for a 503 of the kernel, which cannot know when to come again', async () => {
    const { ask, reports } = await serve({
      plugins: [lint(), answering(() => new Promise(() => undefined))],
      limits: { handlerTimeout: 20 },
    })
    expect((await ask()).status).toBe(503)
    expect(reports.map(({ code }) => code)).toEqual(['HANDLER_TIMEOUT'])
  })

  test('shows no value of a cookie, and no control character of a client', async () => {
    const echo = answering(({ query }) =>
      HttpResponse.html('x', {
        headers: { location: `/\u009b${query.get('a')}`, 'set-cookie': 'sid=secret' },
      }),
    )
    const { ask, reports } = await serve([lint(), echo])
    await ask('/?a=1')
    expect(reports.length).toBeGreaterThan(2)
    for (const { message } of reports) expect(message).not.toMatch(/secret|[^\x20-\x7e\u2026]/)
  })
})

describe('what was found', () => {
  const login = router({
    'GET /a/:id': () => HttpResponse.error(401),
    'GET /b': () => HttpResponse.error(401),
  })

  test('is told once for each rule, plugin and route', async () => {
    const { ask, reports } = await serve([lint(), login])
    for (const url of ['/a/1', '/a/2', '/b', '/b']) await ask(url)
    expect(reports.map(({ request }) => request)).toEqual(['GET /a/1', 'GET /b'])
  })

  test('is told anew after a reload', async () => {
    const { ask, reports, reload } = await serve([lint(), login])
    await ask('/b')
    await reload({ plugins: [lint(), login] })
    await ask('/b')
    expect(reports).toHaveLength(2)
  })

  test('is bounded in memory: what was forgotten is told again', async () => {
    const many: Record<`GET /${number}`, () => HttpResponse> = {}
    for (let at = 0; at <= 2_000; at++) many[`GET /${at}`] = () => HttpResponse.error(401)
    const { ask, reports } = await serve([lint(), router(many)])
    for (let at = 0; at <= 2_000; at++) await ask(`/${at}`)
    await ask('/2000')
    expect(reports).toHaveLength(2_001)
    await ask('/0')
    expect(reports).toHaveLength(2_002)
  })
})

describe('it is not found', () => {
  const bad = answering(() => HttpResponse.html('x', { headers: { 'set-cookie': 'a=b', pragma: 'a' } }))
  const codes = async (plugins: Plugins, url = '/') => {
    const { ask, reports } = await serve(plugins)
    await ask(url)
    return reports.map(({ code }) => code.slice('LINT_'.length))
  }

  test('what `ignore` names', async () => {
    expect(await codes([lint(), bad])).toEqual(['COOKIE_HTTP_ONLY', 'COOKIE_SAME_SITE', 'FIELD_OBSOLETE'])
    expect(await codes([lint({ ignore: ['cookie-http-only', 'cookie-same-site'] }), bad])).toEqual([
      'FIELD_OBSOLETE',
    ])
  })

  test('what is out of scope', async () => {
    const narrow = scope({ path: '/in/*' }, [lint({ ignore: ['cookie-http-only', 'cookie-same-site'] })])
    expect(await codes([narrow, bad], '/out')).toEqual([])
    expect(await codes([narrow, bad], '/in/x')).toEqual(['FIELD_OBSOLETE'])
  })
})

test('a large text is no finding once compression stands in the config', async () => {
  const large = answering(() => HttpResponse.text('word '.repeat(10_000)))
  const { ask, reports } = await serve([lint(), compression(), large])
  await ask({ headers: { 'accept-encoding': 'gzip' } })
  expect(reports).toEqual([])
})

test('the README has every rule with its source', () => {
  const readme = readFileSync(new URL('../../../plugins/lint/README.md', import.meta.url), 'utf8')
  const rows = new Map(
    [...readme.matchAll(/^\| `([a-z-]+)` \| .* \| (.*) \|$/gm)].map(([, id, section]) => [id!, section!]),
  )
  rows.delete('ignore')
  expect([...rows.keys()]).toEqual([...new Set(rules.map(({ id }) => id))].sort())
  for (const { id, section } of rules.filter(each => each.id !== 'field-obsolete'))
    expect(rows.get(id)).toContain(section)
})

test.each<[unknown, string]>([
  [{ ignore: 'cookie-shared' }, ".ignore: expected a list of ids, got 'cookie-shared'"],
  [{ ignore: ['cookie'] }, ".ignore[0]: expected the id of a rule such as 'cookie-shared', got 'cookie'"],
  [{ ignored: [] }, ".ignored: unknown option; did you mean 'ignore'?"],
])('%o is a mistake in the config', async (options, sentence) => {
  await expect(createServer({ plugins: [lint(options as LintOptions)] })).rejects.toThrow(sentence)
})
