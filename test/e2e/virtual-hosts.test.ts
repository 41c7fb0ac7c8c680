import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Deliver, definePlugin, defineSite, HttpResponse, type SiteConfig, scope } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { errorPages } from 'rawhttp/plugins/error-pages'
import { router } from 'rawhttp/plugins/router'
import { staticFiles } from 'rawhttp/plugins/static'
import { tls } from 'rawhttp/plugins/tls'
import { describe, expect, test } from 'vitest'
import { linesOf, tempFolder } from '../plugins/access-log/log.ts'
import { tempPages } from '../plugins/error-pages/temp-pages.ts'
import { issue } from '../plugins/tls/issue.ts'
import { RawClient } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { needTool } from '../support/tools.ts'

// Several sites in one process: which one a request reaches, and that they share nothing but what the root gives all.

const run = promisify(execFile)

const named = (name: string, ...hosts: string[]): SiteConfig => ({
  name,
  hosts,
  plugins: [answering(({ site, hostname }) => HttpResponse.text(`${site.name} ${hostname}`), `says-${name}`)],
})

/** Status and body of one answer to bytes. */
async function answerTo(port: number, message: string): Promise<string> {
  await using client = await RawClient.connect(port)
  client.send(message)
  const { status, body } = await client.response()
  return `${status} ${body}`
}

const get = (host: string, target = '/') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

describe('the site that answers', () => {
  const sites = [
    named('one', 'example.com', 'xn--mnchen-3ya.de'),
    named('wild', '*.example.com', '10.0.0.1', '[::1]'),
    named('rest', '*'),
  ]

  test.each([
    ['example.com', 'one example.com'],
    ['EXAMPLE.com.:8080', 'one example.com'],
    ['XN--MNCHEN-3YA.de', 'one xn--mnchen-3ya.de'],
    ['www.example.com', 'wild www.example.com'],
    ['a.b.EXAMPLE.com:', 'wild a.b.example.com'],
    ['10.0.0.1:80', 'wild 10.0.0.1'],
    ['[0:0::1]:8080', 'wild [::1]'],
    ['example.com..', 'rest example.com.'],
    ['.example.com', 'rest .example.com'],
    ['notexample.com', 'rest notexample.com'],
    ['127.0.0.1:9', 'rest 127.0.0.1'],
  ])('to Host: %s', async (host, expected) => {
    await using served = await startServer({ sites })
    expect(await answerTo(served.port, get(host))).toBe(`200 ${expected}`)
    expect(await answerTo(served.port, get('example.com', `http://${host}/x`))).toBe(`200 ${expected}`)
  })

  test('to a request without Host is that of unknown hosts', async () => {
    await using served = await startServer({ sites })
    expect(await answerTo(served.port, 'GET / HTTP/1.0\r\n\r\n')).toBe('200 rest ')
  })

  test('is the one that curl asks for', async () => {
    const curl = needTool('curl', 'curl')
    await using served = await startServer({ sites })
    const host = `WWW.example.com.:${served.port}`
    const resolve = [
      '--resolve',
      `www.example.com.:${served.port}:127.0.0.1`,
      '--resolve',
      `${host}:127.0.0.1`,
    ]
    const { stdout } = await run(curl, ['-sS', '--max-time', '20', ...resolve, `http://${host}/`])
    expect(stdout).toBe('wild www.example.com')
  })
})

describe('a host that no site names', () => {
  const sites = [named('one', 'one.test'), named('two', 'two.test')]
  const messages = [get('127.0.0.1:8080'), get('one.test', 'http://other.test/'), 'GET / HTTP/1.0\r\n\r\n']

  test("goes to the first site with unknownHost 'default'", async () => {
    await using served = await startServer({ sites, unknownHost: 'default' })
    const answers = await Promise.all(messages.map(message => answerTo(served.port, message)))
    expect(answers).toEqual(['200 one 127.0.0.1', '200 one other.test', '200 one '])
    expect(await answerTo(served.port, get('two.test'))).toBe('200 two two.test')
  })

  test.each([undefined, 'refuse'] as const)('is 421 with unknownHost %s', async unknownHost => {
    await using served = await startServer({ sites, unknownHost })
    for (const message of messages)
      expect(await answerTo(served.port, message)).toMatch(/^421 [\s\S]*no site answers for this host/)
  })

  test('is refused like any other message: the connection closes, and nothing behind it is answered', async () => {
    await using served = await startServer({ sites })
    await using client = await RawClient.connect(served.port)
    client.send(get('other.test') + get('two.test'))
    expect((await client.response()).status).toBe(421)
    expect(await client.rest()).toBe('')
  })
})

describe('sites have their own', () => {
  test('plugins, in the place of those of the root and without them', async () => {
    const mark = definePlugin({
      name: 'mark',
      options: (text: string) => text,
      site: ({ hooks }, text) =>
        hooks.deliver.tap(
          { name: 'mark', stage: Deliver.Headers },
          response => void response.set('x-mark', text),
        ),
    })
    const inside = definePlugin({
      name: 'inside',
      site: ({ hooks }) => hooks.deliver.tap('inside', response => void response.set('x-inside', 'yes')),
    })
    const site = (name: string, more: Partial<SiteConfig>): SiteConfig => ({
      ...named(name, `${name}.test`),
      ...more,
      plugins: [...named(name).plugins!, ...(more.plugins ?? [])],
    })
    await using served = await startServer({
      plugins: [mark('root'), scope({ path: '/in/*', hosts: ['a.test', 'b.test'] }, [inside()])],
      sites: [
        site('a', {}),
        site('b', { plugins: [mark('own')] }),
        site('c', { without: ['mark'] }),
        site('d', { without: ['inside'] }),
      ],
    })
    await using client = await RawClient.connect(served.port)
    const marks = async (host: string, target: string) => {
      client.send(get(host, target))
      const response = await client.response()
      return [response.field('x-mark'), response.field('x-inside')]
    }
    expect(await marks('a.test', '/in/x')).toEqual(['root', 'yes'])
    expect(await marks('a.test', '/out')).toEqual(['root', undefined])
    expect(await marks('b.test', '/in/x')).toEqual(['own', 'yes'])
    expect(await marks('c.test', '/in/x')).toEqual([undefined, undefined])
    expect(await marks('d.test', '/in/x')).toEqual(['root', undefined])
    // The built-in site has all of the root's.
    expect(await marks('e.test', '/in/x')).toEqual(['root', undefined])
  })

  test('files, error pages and logs', async () => {
    const folder = await tempFolder()
    const log = (name: string) => accessLog({ file: join(folder, name), format: '{host} {path} {status}' })
    const site = async (name: string) => {
      const root = await tempPages({ 'index.html': `page of ${name}`, 'errors/404.html': `${name} has none` })
      return defineSite({
        name,
        hosts: [`${name}.test`],
        dir: root,
        plugins: [errorPages({ root: './errors' }), staticFiles({ root: '.' }), log(`${name}.log`)],
      })
    }
    await using served = await startServer({
      plugins: [log('root.log')],
      sites: [await site('a'), await site('b')],
    })
    const fetched = (host: string, target: string) =>
      answerTo(served.port, get(host, target).replace('\r\n\r\n', '\r\nAccept: text/html\r\n\r\n'))
    expect(await fetched('a.test', '/')).toBe('200 page of a')
    expect(await fetched('b.test', '/')).toBe('200 page of b')
    expect(await fetched('a.test', '/none')).toBe('404 a has none')
    expect(await fetched('b.test', '/none')).toBe('404 b has none')
    expect(await fetched('c.test', '/')).toMatch(/^421 /)
    await served.server.stop()
    const logged = async (name: string) => linesOf(await readFile(join(folder, name), 'utf8'))
    expect(await logged('a.log')).toEqual(['a.test / 200', 'a.test /none 404'])
    expect(await logged('b.log')).toEqual(['b.test / 200', 'b.test /none 404'])
    expect(await logged('root.log')).toEqual(['c.test / 421'])
  })

  test('cached answers, under one cache of the root', async () => {
    let runs = 0
    const site = (name: string) =>
      defineSite({
        name,
        hosts: [`${name}.test`],
        plugins: [
          router({
            'GET /': () => HttpResponse.text(`${name} ${++runs}`).set('cache-control', 'max-age=60'),
            'DELETE /': () => null,
          }),
        ],
      })
    await using served = await startServer({ plugins: [cache()], sites: [site('a'), site('b')] })
    const asked = (host: string) => answerTo(served.port, get(host))
    expect(await asked('a.test')).toBe('200 a 1')
    expect(await asked('b.test')).toBe('200 b 2')
    // The target's authority chooses the site, and with it the store.
    expect(await answerTo(served.port, get('a.test', 'http://b.test/'))).toBe('200 b 2')
    expect(await answerTo(served.port, get('B.TEST.:80', '/'))).toBe('200 b 2')
    expect(await answerTo(served.port, get('a.test').replace('GET', 'DELETE'))).toBe('204 ')
    expect([await asked('a.test'), await asked('b.test')]).toEqual(['200 a 3', '200 b 2'])
  })

  test('limits', async () => {
    const read = answering(async ({ body }) => HttpResponse.text(String((await body.bytes()).length)), 'read')
    await using served = await startServer({
      limits: { bodyBytes: 10 },
      plugins: [read],
      sites: [
        { name: 'a', hosts: ['a.test'] },
        { name: 'b', hosts: ['b.test'], limits: { bodyBytes: 20 } },
      ],
    })
    const post = (host: string, length: number) =>
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`
    expect(await answerTo(served.port, post('a.test', 11))).toMatch(/^413 /)
    expect(await answerTo(served.port, post('b.test', 11))).toBe('200 11')
    expect(await answerTo(served.port, post('b.test', 21))).toMatch(/^413 /)
  })
})

describe('sites with certificates of their own', () => {
  const serveTwo = async () => {
    const certificates = [await issue({ names: ['a.test'] }), await issue({ names: ['b.test', '*.b.test'] })]
    const folder = await tempFolder()
    const served = await startServer({
      listen: [{ port: 0, tls: true }],
      plugins: [tls({ certificates })],
      sites: [named('a', 'a.test'), named('b', 'b.test', '*.b.test')],
    })
    await writeFile(join(folder, 'a.pem'), certificates[0]!.cert)
    await writeFile(join(folder, 'b.pem'), certificates[1]!.cert)
    return { served, folder }
  }

  test('show it to who asks for the site by SNI', async () => {
    const [curl, openssl] = [needTool('curl', 'curl'), needTool('openssl', 'openssl')]
    const { served, folder } = await serveTwo()
    await using _ = served
    const fetched = async (host: string, trusted: string) => {
      const to = ['--connect-to', `${host}:443:127.0.0.1:${served.port}`, '--cacert', join(folder, trusted)]
      return (await run(curl, ['-sS', '--max-time', '20', ...to, `https://${host}/`])).stdout
    }
    expect(await fetched('a.test', 'a.pem')).toBe('a a.test')
    expect(await fetched('x.b.test', 'b.pem')).toBe('b x.b.test')
    await expect(fetched('b.test', 'a.pem')).rejects.toThrow(/SSL certificate/)
    const args = ['s_client', '-connect', `127.0.0.1:${served.port}`, '-servername', 'b.test', '-brief']
    const shown = run(openssl, [...args, '-CAfile', join(folder, 'b.pem'), '-verify_hostname', 'b.test'])
    shown.child.stdin?.end()
    expect((await shown).stderr).toContain('Verification: OK')
  })

  test('answer 421 to who came by the name of the other', async () => {
    const curl = needTool('curl', 'curl')
    const { served, folder } = await serveTwo()
    await using _ = served
    const to = ['--connect-to', `a.test:443:127.0.0.1:${served.port}`, '--cacert', join(folder, 'a.pem')]
    const ask = ['-sS', '--max-time', '20', '-w', ' %{http_code}', ...to, 'https://a.test/']
    const status = async (...more: string[]) => (await run(curl, [...ask, ...more])).stdout.split(' ').at(-1)
    expect(await status('-H', 'Host: b.test')).toBe('421')
    expect(await status('--request-target', 'https://b.test/')).toBe('421')
    expect(await status('-H', 'Host: A.test.:8443')).toBe('200')
  })
})
