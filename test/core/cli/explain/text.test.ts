import { Handle, HttpError, HttpResponse, scope, Transform } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { textOf } from '../../../../core/cli/explain/text.ts'
import { onSite } from '../../../support/in-memory.ts'
import { serveTraced } from '../../trace/serve-traced.ts'

const plugins = [
  onSite('guard', site =>
    site.hooks.handle.tap({ name: 'guard', stage: Handle.Guard - 20 }, request => {
      if (request.path === '/refused') throw new HttpError(403, 'not\x1b you')
      request.restrict('a cookie')
    }),
  ),
  scope({ path: '/other' }, [
    onSite('narrow', site =>
      site.hooks.handle.tap({ name: 'narrow:one', stage: Handle.Match }, () => undefined),
    ),
  ]),
  onSite('route', site =>
    site.hooks.handle.tap({ name: 'run', stage: Handle.Route }, () =>
      HttpResponse.text('hello', { headers: { etag: '"a"' } }),
    ),
  ),
  onSite('late', site => site.hooks.handle.tap({ name: 'late', stage: Handle.Static }, () => undefined)),
  onSite('code', site =>
    site.hooks.transform.tap({ name: 'code', stage: Transform.Encode }, response => {
      response.encode('x', () => Buffer.from('y'))
    }),
  ),
]

/** A trace in text, with what differs from run to run put right. */
async function shown(
  ...options: Parameters<Awaited<ReturnType<typeof serveTraced>>['trace']>
): Promise<string[]> {
  const { trace } = await serveTraced(plugins)
  return textOf(await trace(...options))
    .replaceAll(/ *\d+\.\d\d? ms/g, ' N ms')
    .replaceAll(/[A-Z][a-z]{2}, \d[^,]* GMT/g, 'DATE')
    .replaceAll(/ ?\(test\/[^)]*\)/g, '')
    .split('\n')
    .map(line => line.trimEnd().replaceAll(/(?<=\S) {2,}/g, '  '))
}

describe('a trace in text', () => {
  test('is the request, the site, the taps as a tree with what they changed, and the answer with who set what', async () => {
    expect(await shown({ url: '/', headers: { cookie: 'a=b' } })).toEqual([
      'GET / HTTP/1.1',
      '  cookie:  (masked)',
      '  host:  localhost',
      '',
      "site default  by '*': no other site names the host",
      '',
      'handle',
      '├─ guard  Handle.Guard - 20 N ms  passed',
      '│  said that the answer depends on who the client is: a cookie',
      '├─ narrow:one  Handle.Match  out of scope',
      '├─ run of route  Handle.Route N ms  answered 200',
      '└─ late  Handle.Static  not asked: route answered before',
      'transform',
      '└─ code  Transform.Encode N ms  changed the response',
      '      body: text, 5 bytes -> made when it is sent',
      '      etag: "a" -> "a-x"  the kernel: the same in another coding has a tag of its own (RFC 9110 8.8.3.3)',
      '      content-encoding: x',
      '      vary: Accept-Encoding  the kernel: caches must hear that the coding was chosen by a field (RFC 9110 12.5.5)',
      '',
      'answer 200  by route',
      '  content-type:  text/plain; charset=utf-8  route',
      '  etag:  "a-x"  the kernel: the same in another coding has a tag of its own (RFC 9110 8.8.3.3), after code, before that by route',
      '  content-encoding:  x  code',
      '  vary:  Accept-Encoding  the kernel: caches must hear that the coding was chosen by a field (RFC 9110 12.5.5), after code',
      '  date:  DATE  the kernel: when the answer was made (RFC 9110 6.6.1)',
      '  body  made when it is sent, 1 bytes',
      expect.stringMatching(/^sent, \d+ bytes in N ms$/),
    ])
  })

  test('keeps who set a field in sight, however long another value is', async () => {
    const token = 'x'.repeat(500)
    const { trace } = await serveTraced([
      onSite('route', site =>
        site.hooks.handle.tap({ name: 'route', stage: Handle.Route }, () =>
          HttpResponse.text('hello', { headers: { 'x-token': token } }),
        ),
      ),
    ])
    const lines = textOf(await trace('/')).split('\n')
    const line = (name: string) => lines.find(each => each.startsWith(`  ${name}: `))!
    expect(line('content-type')).toMatch(/^ {2}content-type: +text\/plain; charset=utf-8 {2,6}route/)
    expect(line('x-token')).toMatch(/^ {2}x-token: +x{500} {2}route/)
  })

  test('has no byte that a terminal would obey', async () => {
    const lines = await shown({ url: '/refused', headers: { 'x-odd': '\x1b[2J' } })
    expect(lines.join('\n')).not.toContain('\x1b')
    expect(lines).toContain('  x-odd:  \\x1b[2J')
    expect(lines).toContain('├─ guard  Handle.Guard - 20 N ms  threw HttpError 403: not\\x1b you')
  })

  test('tells what the kernel did between the hooks', async () => {
    const lines = await shown({ url: '/', headers: { 'if-none-match': '"a-x"' } })
    const at = lines.indexOf('kernel')
    expect(lines.slice(at, at + 5)).toEqual([
      'kernel',
      '└─ 304  If-None-Match names the tag: the client has it (RFC 9110 13.1.2)',
      '      content-type removed  the kernel: the client has it already (RFC 9110 15.4.5)',
      '      content-encoding removed  the kernel: the client has it already (RFC 9110 15.4.5)',
      '',
    ])
  })

  test('tells of a refused message by which rule', async () => {
    const lines = await shown('/%00')
    expect(lines).toContain('no site  the site of refused messages')
    expect(lines).toContain(
      '├─ 400  the message was refused: the path has a broken percent escape or an escaped NUL (RFC 3986 2.1)',
    )
    expect(lines).toContainEqual(expect.stringMatching(/^fault PATH-ESCAPE: a message/))
  })
})
