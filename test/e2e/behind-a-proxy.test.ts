import { readFile } from 'node:fs/promises'
import { HttpResponse, type Plugins } from 'rawhttp'
import { accessLog } from 'rawhttp/plugins/access-log'
import { cache } from 'rawhttp/plugins/cache'
import { route, router } from 'rawhttp/plugins/router'
import { tls } from 'rawhttp/plugins/tls'
import { beforeAll, describe, expect, test } from 'vitest'
import { shakeHands } from '../plugins/tls/client.ts'
import { type Issued, issue } from '../plugins/tls/issue.ts'
import { serve } from '../support/in-memory.ts'
import { request as message } from '../support/messages.ts'
import { exchangeBytes } from '../support/raw-client.ts'
import { answering, startServer } from '../support/server.ts'
import { tempFile } from '../support/temp-file.ts'

const trustedProxies = ['loopback']
const fields = [
  'X-Forwarded-For: 6.6.6.6, 192.0.2.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: Shop.Example:8443',
]
const hello = answering(() => HttpResponse.text('hello'))

describe('what a trusted proxy tells', () => {
  test('stands in the access log, also of a refused message', async () => {
    const file = await tempFile('access.log', '')
    const format = '{client} {scheme} {host} {status}'
    const served = await startServer({ trustedProxies, plugins: [accessLog({ format, file }), hello] })
    await exchangeBytes(served.port, message('GET', '/', [...fields, 'Connection: close']))
    await exchangeBytes(served.port, message('GET', '/', [...fields, 'Content-Length: x']))
    await served.untilEnded(2)
    await served.server.stop({ deadline: 0 })
    expect(await readFile(file, 'utf8')).toBe(
      '192.0.2.1 https Shop.Example:8443 200\n192.0.2.1 https Shop.Example:8443 400\n',
    )
  })

  test('chooses the routes by the host', async () => {
    const plugins = [router({ 'GET /': route({ hosts: ['shop.example'] }, () => 'shop') })]
    const { ask } = await serve({ trustedProxies, plugins })
    const by = async (address: string) => {
      const headers = { host: 'a', 'x-forwarded-host': 'shop.example' }
      return (await ask({ headers, client: { address, port: 1 } })).status
    }
    expect(await by('127.0.0.1')).toBe(200)
    expect(await by('192.0.2.1')).toBe(404)
  })

  test('is part of what the cache keeps an answer under', async () => {
    let runs = 0
    const plugins = [
      cache(),
      answering(({ scheme, host }) =>
        HttpResponse.text(`${++runs} ${scheme} ${host}`).set('cache-control', 'max-age=60'),
      ),
    ]
    const { ask } = await serve({ trustedProxies, plugins })
    const get = async (host: string, proto: string, address = '127.0.0.1') => {
      const headers = { host: 'a', 'x-forwarded-host': host, 'x-forwarded-proto': proto }
      return (await ask({ headers, client: { address, port: 1 } })).text()
    }
    expect(await get('b', 'https')).toBe('1 https b')
    expect(await get('b', 'https')).toBe('1 https b')
    expect(await get('b', 'http')).toBe('2 http b')
    expect(await get('c', 'https')).toBe('3 https c')
    // A stranger poisons nothing: to him it is the host that he sent.
    expect(await get('b', 'https', '192.0.2.1')).toBe('4 http a')
    expect(await get('b', 'https')).toBe('1 https b')
  })
})

describe('behind a proxy that ends TLS', () => {
  let issued: Issued
  beforeAll(async () => {
    issued = await issue()
  })
  const by = async (proto: string, plugins: Plugins, trustedProxies = ['127.0.0.1']) => {
    const { ask } = await serve({ trustedProxies, plugins: [...plugins, hello] })
    const headers = { host: 'shop.example', 'x-forwarded-proto': proto }
    const answer = await ask({ headers, client: { address: '127.0.0.1', port: 1 } })
    return [answer.status, answer.headers.get('location'), answer.headers.get('strict-transport-security')]
  }

  test('only what came without TLS is sent to https, and only the rest has HSTS', async () => {
    const plugins = [tls({ ...issued, redirect: true, hsts: true })]
    expect(await by('https', plugins)).toEqual([200, undefined, 'max-age=31536000'])
    expect(await by('http', plugins)).toEqual([308, 'https://shop.example/', undefined])
    // A client that only claims it goes where all go.
    expect(await by('https', plugins, ['10.0.0.1'])).toEqual([308, 'https://shop.example/', undefined])
  })

  test('one connection carries requests for hosts with certificates of their own', async () => {
    const certificates = [await issue({ names: ['a.test'] }), await issue({ names: ['b.test'] })]
    const ask = async (trustedProxies: readonly string[]) => {
      const listen = [{ port: 0, tls: true }]
      await using served = await startServer({
        listen,
        trustedProxies,
        plugins: [tls({ certificates }), hello],
      })
      await using client = await shakeHands(served.port, { servername: 'a.test', rejectUnauthorized: false })
      client.http.send('GET / HTTP/1.1\r\nHost: b.test\r\n\r\n')
      return (await client.http.response()).status
    }
    expect(await ask([])).toBe(421)
    expect(await ask(['loopback'])).toBe(200)
  })
})
