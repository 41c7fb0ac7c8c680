import { isIP } from 'node:net'
import fc from 'fast-check'
import { createServer, definePlugin, Handle, HttpResponse } from 'rawhttp'
import { type AccessLogOptions, accessLog } from 'rawhttp/plugins/access-log'
import { describe, expect, test } from 'vitest'
import { masksOf } from '../../../plugins/access-log/mask.ts'
import { logged } from './log.ts'

const site = definePlugin({
  name: 'site',
  site: site =>
    site.hooks.handle.tap({ name: 'site', stage: Handle.Route }, () =>
      HttpResponse.redirect('/next?code=c0de&a=1')
        .append('set-cookie', 'sid=s3cret; Path=/; HttpOnly')
        .append('set-cookie', 'theme=dark'),
    ),
})

const secret = {
  cookie: 'sid=s3cret; theme=dark; s3cret',
  authorization: 'Bearer s3cret',
  'proxy-authorization': 's3cret',
  'x-api-key': 's3cret',
  referer: 'https://u:s3cret@a.test/?token=s3cret&page=2',
}

async function lineOf(
  options: AccessLogOptions,
  url = '/',
  more: { headers?: Record<string, string>; address?: string } = {},
): Promise<string> {
  const log = await logged(options, site)
  const client = { address: more.address ?? '192.0.2.77', port: 1 }
  await log.server.inject({ url, headers: { ...secret, ...more.headers }, client })
  return (await log.lines())[0]!
}

describe('values of a query', () => {
  const { url } = masksOf({ addresses: false, query: 'secrets', credentials: true })

  test.each([
    ['/a?token=x', '/a?token=***'],
    ['/a?page=2&access_token=x&z=3', '/a?page=2&access_token=***&z=3'],
    ['/a?Password=a=b&&=&b', '/a?Password=***&&=&b'],
    ['/a?code=x&country_code=de&zip-code=1', '/a?code=***&country_code=de&zip-code=1'],
    ['/a?key=x&api-key=x&apiKey=x&sort_key=x', '/a?key=***&api-key=***&apiKey=***&sort_key=x'],
    ['/a?X-Amz-Signature=x&X-Amz-Date=1', '/a?X-Amz-Signature=***&X-Amz-Date=1'],
    ['/a?user[password]=x&PHPSESSID=x&sid=x', '/a?user[password]=***&PHPSESSID=***&sid=***'],
    ['/a?%74oken=x&to%6Ben=x&%zztoken=x&a+b=%20', '/a?%74oken=***&to%6Ben=***&%zztoken=***&a+b=%20'],
    ['/a?%74oken=x', '/a?%74oken=***'],
    ['/a?%6bey=x', '/a?%6bey=***'],
    ['/a??token=x', '/a??token=***'],
    ['/cb#id_token=x&state=y', '/cb#id_token=***&state=y'],
    ['http://user:pass@host/a?b=c', 'http://***@host/a?b=c'],
    ['/token=x/y', '/token=x/y'],
    ['/a?token', '/a?token'],
    ['/author?authority=1&compass=n', '/author?authority=1&compass=n'],
    ['*', '*'],
    ['', ''],
  ])('%s is written as %s', (given, written) => expect(url(given)).toBe(written))

  test('are hidden by name unless the config says otherwise', async () => {
    const target = '/a?token=s3cret&page=2'
    expect(await lineOf({}, target)).toMatch(
      /"GET \/a\?token=\*\*\*&page=2 HTTP\/1.1" .* "https:\/\/\*\*\*@a\.test\/\?token=\*\*\*&page=2" /,
    )
    expect(await lineOf({ format: '{target} {query}', mask: { query: ['page'] } }, target)).toBe(
      '/a?token=***&page=*** token=***&page=***',
    )
    expect(await lineOf({ format: '{target} {query}', mask: { query: 'all' } }, '/a?b=1&c&d=')).toBe(
      '/a?b=***&c&d=*** b=***&c&d=***',
    )
    expect(await lineOf({ format: '{target} {line}', mask: { query: false } }, target)).toBe(
      `${target} GET ${target} HTTP/1.1`,
    )
  })

  test('are hidden in JSON, and in the targets that a response names', async () => {
    const line = await lineOf({ format: 'json', fields: ['target', 'line', 'response.location'] }, '/?otp=1')
    expect(JSON.parse(line)).toEqual({
      target: '/?otp=***',
      line: 'GET /?otp=*** HTTP/1.1',
      'response.location': '/next?code=***&a=1',
    })
  })

  test('are hidden in a refused message, too', async () => {
    expect(await lineOf({ format: '{target} {status}' }, '/a%zz?password=s3cret')).toBe(
      '/a%zz?password=*** 400',
    )
  })

  test('of any query keep their names, and a long one without any takes no time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z%+.[\]-]*$/), fc.string()), { maxLength: 8 }),
        pairs => {
          const query = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
          const all = masksOf({ addresses: false, query: 'all', credentials: true }).url(`/?${query}`)
          const names = (text: string) => text.split('&').map(pair => pair.split('=')[0])
          expect(names(all)).toEqual(names(`/?${query}`))
        },
      ),
    )
    const long = `/?${'a'.repeat(100_000)}`
    expect(url(`${long}=1`)).toBe(`${long}=1`)
    expect(url(`${long}%=1`)).toBe(`${long}%=1`)
  })
})

describe('cookies and credentials', () => {
  const fields = ['cookie', 'authorization', 'proxy-authorization', 'x-api-key'] as const
  const format = fields.map(name => `"{request.${name}}"`).join(' ') as '{}'

  test('are in none of the named formats', async () => {
    for (const name of ['combined', 'common', 'json'] as const) {
      const line = await lineOf({ format: name, mask: { credentials: false } })
      expect(line).not.toMatch(/s3cret|dark|Bearer/)
    }
  })

  test('show their names and schemes where a template asks for them', async () => {
    expect(await lineOf({ format })).toBe('"sid=***; theme=***;***" "Bearer ***" "***" "***"')
    expect(await lineOf({ format: '"{response.set-cookie}"' })).toBe('"sid=***; Path=/; HttpOnly, theme=***"')
  })

  test('are shown when the config says so', async () => {
    expect(await lineOf({ format, mask: { credentials: false } })).toBe(
      `"${secret.cookie}" "Bearer s3cret" "s3cret" "s3cret"`,
    )
  })
})

describe('addresses', () => {
  test.each([
    ['192.0.2.77', '192.0.2.0'],
    ['::ffff:192.0.2.77', '::ffff:192.0.2.0'],
    ['2001:db8:85a3:8d3:1319:8a2e:370:7348', '2001:db8:85a3::'],
    ['2001:db8::1', '2001:db8::'],
    ['::1', '::'],
    ['fe80::1%eth0', 'fe80::'],
    ['2001:db8::1%eth0', '2001:db8::'],
    ['', '-'],
    ['no-address', '-'],
  ])('%s is written as %s when they are masked', async (address, written) => {
    const log = await logged({ mask: { addresses: true } }, site)
    await log.server.inject({ url: '/', client: { address, port: 1 } })
    expect((await log.lines())[0]).toMatch(`${written} - - [`)
  })

  test('are whole unless the config says otherwise, but for the interface', async () => {
    expect(await lineOf({ format: '{client}' })).toBe('192.0.2.77')
    expect(await lineOf({ format: '{client}' }, '/', { address: 'fe80::1%eth0' })).toBe('fe80::1')
  })

  test('are masked in the fields of proxies as well', async () => {
    const headers = {
      'x-forwarded-for': '203.0.113.9, 198.51.100.7:4711, 2001:db8:1:2::3, unknown',
      forwarded: 'for=192.0.2.60;by=203.0.113.43;proto=http, for="[2001:db8:cafe:1::17]:4711"',
    }
    const format = '"{request.x-forwarded-for}" "{request.Forwarded}"'
    expect(await lineOf({ format, mask: { addresses: true } }, '/', { headers })).toBe(
      '"203.0.113.0, 198.51.100.0:4711, 2001:db8:1::, unknown" ' +
        '"for=192.0.2.0;by=203.0.113.0;proto=http, for=\\x22[2001:db8:cafe::]:4711\\x22"',
    )
  })

  test('that are masked are addresses of the same network', () => {
    const { address } = masksOf({ addresses: true, query: false, credentials: true })
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), given => {
        const masked = address(given)
        expect(isIP(masked)).toBe(isIP(given))
        expect(address(masked)).toBe(masked)
      }),
    )
  })
})

test.each([
  [{ query: 'foo' }, "mask.query: expected 'secrets', 'all', false or a list of further names, got 'foo'"],
  [{ adresses: true }, "mask.adresses: unknown option; did you mean 'addresses'?"],
  [{ credentials: 'no' }, "mask.credentials: expected true or false, got 'no'"],
])('mask %j is told when the config loads', async (mask, sentence) => {
  const loading = createServer({ plugins: [accessLog({ mask } as never)] })
  await expect(loading).rejects.toThrow(`plugins[0] (access-log): options.${sentence}`)
})
