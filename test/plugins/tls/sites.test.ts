import { type Config, HttpResponse } from 'rawhttp'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { serve } from '../../support/in-memory.ts'
import { answering, startServer } from '../../support/server.ts'
import { shakeHands } from './client.ts'
import { type Issued, issue } from './issue.ts'

let issued: Issued
beforeAll(async () => {
  issued = await issue()
})

const hello = answering(() => HttpResponse.text('hello'))

describe('redirect', () => {
  const redirecting = (redirect: boolean | number) => serve([tls({ ...issued, redirect }), hello])
  const to = async (redirect: boolean | number, target: string, host: string, method = 'GET') => {
    const { ask } = await redirecting(redirect)
    const { status, headers } = await ask({ method, url: target, headers: { host } })
    return [status, headers.get('location')]
  }

  test('sends plain requests to https, with host, path and query', async () => {
    expect(await to(true, '/a%20b/?c=d&e', 'Example.test:8080')).toEqual([
      308,
      'https://example.test/a%20b/?c=d&e',
    ])
    expect(await to(true, '/', '[::1]:8080', 'POST')).toEqual([308, 'https://[::1]/'])
  })

  test('goes to another port when it is told', async () => {
    expect(await to(8443, '/x', 'example.test')).toEqual([308, 'https://example.test:8443/x'])
    expect(await to(443, '/x', 'example.test')).toEqual([308, 'https://example.test/x'])
  })

  test('never leads elsewhere', async () => {
    expect(await to(true, '//evil.test/%2e%2e', 'example.test')).toEqual([308, 'https://example.test/'])
  })

  test('cannot be followed without a host, so the request is refused', async () => {
    const { ask } = await redirecting(true)
    const { status, text } = await ask({ url: '/', headers: { host: '' } })
    expect([status, text()]).toEqual([400, expect.stringContaining('names no host')])
  })

  test('leaves requests of https alone, and the challenges of certificate authorities', async () => {
    const { ask } = await redirecting(true)
    expect((await ask({ url: 'https://example.test/' })).status).toBe(200)
    expect((await ask({ url: '/.well-known/acme-challenge/token' })).status).toBe(200)
    expect((await ask({ url: '/.well-known/other' })).status).toBe(308)
  })

  test('is off unless it is asked for', async () => {
    expect(await to(false, '/', 'example.test')).toEqual([200, undefined])
  })
})

describe('hsts', () => {
  const field = async (hsts: NonNullable<Parameters<typeof tls>[0]>['hsts'], url = 'https://a.test/') => {
    const { ask } = await serve([tls({ ...issued, hsts }), hello])
    return (await ask({ url })).headers.get('strict-transport-security')
  }

  test('is a year for true', async () => {
    expect(await field(true)).toBe('max-age=31536000')
  })

  test('says what the options say', async () => {
    expect(await field({ maxAge: '1d' })).toBe('max-age=86400')
    expect(await field({ maxAge: 0 })).toBe('max-age=0')
    expect(await field({ includeSubDomains: true, preload: true })).toBe(
      'max-age=31536000; includeSubDomains; preload',
    )
  })

  test('is not said without TLS (RFC 6797 section 7.2), nor unasked', async () => {
    expect(await field(true, 'http://a.test/')).toBeUndefined()
    expect(await field(false)).toBeUndefined()
  })

  test('stands on errors and refused messages, too', async () => {
    await using served = await startServer({
      listen: [{ port: 0, tls: true }],
      plugins: [tls({ ...issued, hsts: true })],
    })
    await using client = await shakeHands(served.port, { ca: issued.cert })
    client.http.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n')
    for (const status of [404, 400]) {
      const response = await client.http.response()
      expect([response.status, response.field('strict-transport-security')]).toEqual([
        status,
        'max-age=31536000',
      ])
    }
  })

  test('leaves what a handler said', async () => {
    const own = answering(() => HttpResponse.text('hello').set('strict-transport-security', 'max-age=5'))
    const { ask } = await serve([tls({ ...issued, hsts: true }), own])
    expect((await ask({ url: 'https://a.test/' })).headers.get('strict-transport-security')).toBe('max-age=5')
  })
})

describe('a request for another host than its connection was made for', () => {
  const ask = async (config: Config, servername: string, host: string): Promise<number> => {
    await using served = await startServer({ listen: [{ port: 0, tls: true }], ...config })
    await using client = await shakeHands(served.port, { servername, rejectUnauthorized: false })
    client.http.send(
      `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\nGET / HTTP/1.1\r\nHost: ${servername || host}\r\n\r\n`,
    )
    const { status } = await client.http.response()
    // It is one request that is refused, not the connection.
    expect((await client.http.response()).status).toBe(servername === '' ? status : 200)
    return status
  }

  test('is 421 if that host has a certificate of its own', async () => {
    const certificates = [
      await issue({ names: ['a.test', 'also-a.test'] }),
      await issue({ names: ['b.test', '*.b.test'] }),
    ]
    const config = { plugins: [tls({ certificates }), hello] }
    expect(await ask(config, 'a.test', 'a.test')).toBe(200)
    expect(await ask(config, 'a.test', 'A.TEST.:8443')).toBe(200)
    expect(await ask(config, 'a.test', 'also-a.test')).toBe(200)
    expect(await ask(config, 'x.b.test', 'b.test')).toBe(200)
    expect(await ask(config, 'a.test', 'b.test')).toBe(421)
    expect(await ask(config, 'b.test', 'a.test')).toBe(421)
    // Who names none was shown the first certificate.
    expect(await ask(config, '', 'a.test')).toBe(200)
    expect(await ask(config, '', 'b.test')).toBe(421)
    // Unknown hosts belong to the first.
    expect(await ask(config, 'unknown.test', 'a.test')).toBe(200)
    expect(await ask(config, 'b.test', 'unknown.test')).toBe(421)
  })

  test('passes where one certificate serves all', async () => {
    const config = { plugins: [tls(issued), hello] }
    expect(await ask(config, 'a.test', 'b.test')).toBe(200)
  })
})
